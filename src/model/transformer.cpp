#include "rlhf/model/transformer.hpp"

#include <algorithm>
#include <cmath>

#include "composite_layer.hpp"
#include "fused_decoder.hpp"
#include "gemm.hpp"
#include "lookup.hpp"
#include "lora_modules.hpp"
#include "number.hpp"
#include "packed_weights.hpp"
#include "rlhf/core/error.hpp"
#include "rotary.hpp"

namespace rlhf {
namespace {

std::vector<int64_t> row_lengths(const Completions& completions) {
  return int64_vector(completions.lengths());
}

}  // namespace

const std::array<TransformerBlock::Field, 22> TransformerBlock::fields = {
    {{"attention_norm", &TransformerBlock::attention_norm},
     {"attention_norm_bias", &TransformerBlock::attention_norm_bias},
     {"qkv", &TransformerBlock::qkv},
     {"qkv_bias", &TransformerBlock::qkv_bias},
     {"query_norm", &TransformerBlock::query_norm},
     {"key_norm", &TransformerBlock::key_norm},
     {"attention_out", &TransformerBlock::attention_out},
     {"attention_out_bias", &TransformerBlock::attention_out_bias},
     {"mlp_norm", &TransformerBlock::mlp_norm},
     {"mlp_norm_bias", &TransformerBlock::mlp_norm_bias},
     {"gate_up", &TransformerBlock::gate_up},
     {"gate_up_bias", &TransformerBlock::gate_up_bias},
     {"down", &TransformerBlock::down},
     {"down_bias", &TransformerBlock::down_bias},
     {"qkv_lora_a", &TransformerBlock::qkv_lora_a},
     {"qkv_lora_b", &TransformerBlock::qkv_lora_b},
     {"attention_out_lora_a", &TransformerBlock::attention_out_lora_a},
     {"attention_out_lora_b", &TransformerBlock::attention_out_lora_b},
     {"gate_up_lora_a", &TransformerBlock::gate_up_lora_a},
     {"gate_up_lora_b", &TransformerBlock::gate_up_lora_b},
     {"down_lora_a", &TransformerBlock::down_lora_a},
     {"down_lora_b", &TransformerBlock::down_lora_b}}};

const std::array<TransformerBlock::Adaptable, 4> TransformerBlock::adaptable = {
    {{"qkv", &TransformerBlock::qkv, &TransformerBlock::qkv_lora_a, &TransformerBlock::qkv_lora_b},
     {"attention_out", &TransformerBlock::attention_out, &TransformerBlock::attention_out_lora_a,
      &TransformerBlock::attention_out_lora_b},
     {"gate_up", &TransformerBlock::gate_up, &TransformerBlock::gate_up_lora_a,
      &TransformerBlock::gate_up_lora_b},
     {"down", &TransformerBlock::down, &TransformerBlock::down_lora_a,
      &TransformerBlock::down_lora_b}}};

Transformer::Transformer(const TransformerConfig& config, Generator& generator)
    : config_(config), packs_(std::make_shared<model::PackedWeights>()) {
  config.validate();
  const int64_t dim = config.dim, size = config.head_size();
  const int64_t all_heads = (config.heads + 2 * config.key_heads()) * size;
  const int64_t inside =
      config.activation == Activation::swiglu ? 2 * config.hidden_dim : config.hidden_dim;
  const double residual_std = 0.02 / std::sqrt(2.0 * static_cast<double>(config.layers));
  const auto normal = [&](int64_t rows, int64_t columns, double std) {
    Tensor weight = torch::empty({rows, columns});
    generator.fill_normal(weight, 0.0, std);
    return weight.requires_grad_();
  };
  const auto ones = [](int64_t width, bool there) {
    return there ? torch::ones({width}).requires_grad_() : Tensor();
  };
  const auto zeros = [](int64_t width, bool there) {
    return there ? torch::zeros({width}).requires_grad_() : Tensor();
  };
  const bool centred = config.norm == NormKind::layer, biased = config.bias == Bias::all;
  embedding_ = normal(config.vocab_size, dim, 0.02);
  if (config.positions == Positions::learned) {
    positions_ = normal(config.context_length, dim, 0.02);
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    blocks_.push_back({.attention_norm = ones(dim, true),
                       .attention_norm_bias = zeros(dim, centred),
                       .qkv = normal(all_heads, dim, 0.02),
                       .qkv_bias = zeros(all_heads, config.bias != Bias::none),
                       .query_norm = ones(size, config.query_key_norm),
                       .key_norm = ones(size, config.query_key_norm),
                       .attention_out = normal(dim, config.heads * size, residual_std),
                       .attention_out_bias = zeros(dim, biased),
                       .mlp_norm = ones(dim, true),
                       .mlp_norm_bias = zeros(dim, centred),
                       .gate_up = normal(inside, dim, 0.02),
                       .gate_up_bias = zeros(inside, biased),
                       .down = normal(dim, config.hidden_dim, residual_std),
                       .down_bias = zeros(dim, biased)});
  }
  norm_ = ones(dim, true);
  norm_bias_ = zeros(dim, centred);
  if (config.positions == Positions::learned) return;
  const Tensor angles = torch::outer(torch::arange(config.context_length, torch::kFloat64),
                                     model::rotary_frequencies(config));
  cosines_ = angles.cos().to(torch::kFloat32);
  sines_ = angles.sin().to(torch::kFloat32);
}

Transformer Transformer::alias() const {
  Transformer copy;
  copy.config_ = config_;
  copy.adapters_ = adapters_;
  copy.frozen_ = frozen_;
  copy.merged_ = merged_;
  copy.packs_ = packs_;
  copy.embedding_ = embedding_;
  copy.positions_ = positions_;
  copy.blocks_ = blocks_;
  copy.norm_ = norm_;
  copy.norm_bias_ = norm_bias_;
  copy.cosines_ = cosines_;
  copy.sines_ = sines_;
  copy.precision_ = precision_;
  copy.decoding_ = decoding_;
  copy.checkpoints_ = checkpoints_;
  return copy;
}

Transformer Transformer::clone() const {
  Transformer copy = alias();
  copy.for_each_parameter_from(frozen_layers(), [](Tensor& weight) {
    weight = weight.detach().clone().requires_grad_(weight.requires_grad());
  });
  if (merged_) copy.merged_ = merged_->with([](const Tensor& matrix) { return matrix.clone(); });
  return copy;
}

std::vector<NamedTensor> Transformer::named_parameters() const {
  std::vector<NamedTensor> named{{"embedding", embedding_}};
  if (positions_.defined()) named.emplace_back("positions", positions_);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    for (const auto& field : TransformerBlock::fields) {
      const Tensor& weight = blocks_[i].*field.weight;
      if (weight.defined()) {
        named.emplace_back("layers." + std::to_string(i) + "." + field.name, weight);
      }
    }
  }
  named.emplace_back("norm", norm_);
  if (norm_bias_.defined()) named.emplace_back("norm_bias", norm_bias_);
  return named;
}

model::composite::Layer Transformer::composite_layer(size_t layer) const {
  return {.config = config_,
          .block = blocks_[layer],
          .adapters = adapters_.get(),
          .number = static_cast<int64_t>(layer)};
}

void Transformer::check_length(int64_t length, int64_t row) const {
  require(length <= config_.context_length, "tokens of sequence " + std::to_string(row),
          "at most context_length = " + std::to_string(config_.context_length), length);
}

void Transformer::check_tokens(const Tensor& tokens) const {
  require_dtype(tokens, torch::kInt64, "tokens");
  if (tokens.numel() == 0) return;
  const auto [least, most] = tokens.aminmax();
  const int64_t low = least.item<int64_t>(), high = most.item<int64_t>();
  require(low >= 0 && high < config_.vocab_size, "token",
          ">= 0 and < vocab_size = " + std::to_string(config_.vocab_size), low < 0 ? low : high);
}

Tensor Transformer::embed(const Tensor& tokens, const Tensor& positions) const {
  check_tokens(tokens);
  const Tensor x = model::lookup(embedding_, tokens);
  return positions_.defined() ? x + model::lookup(positions_, positions) : x;
}

std::pair<Tensor, Tensor> Transformer::rotation(const Tensor& positions) const {
  if (config_.positions == Positions::learned) return {};
  return {cosines_.index_select(0, positions).unsqueeze(1),
          sines_.index_select(0, positions).unsqueeze(1)};
}

namespace {

/// What the passes make of anything else would be wrong, or lie outside of memory.
void require_positions(const Tensor& positions, int64_t tokens) {
  constexpr const char* name = "positions";
  require_dtype(positions, torch::kInt64, name);
  require(positions.dim() == 1, name, "[P]", positions.sizes());
  int64_t before = -1;
  for (const int64_t position : int64_vector(positions)) {
    if (position <= before || position >= tokens) {
      fail(name, "increasing, >= 0 and < tokens = " + std::to_string(tokens),
           std::to_string(position) + " after " + std::to_string(before));
    }
    before = position;
  }
}

}  // namespace

Tensor Transformer::hidden(const Completions& completions, const Tensor& positions) const {
  const model::SequenceLayout layout(row_lengths(completions), completions.tokens.device());
  require_positions(positions, layout.tokens);
  for (int64_t row = 0; row < layout.size(); ++row) {
    check_length(layout.lengths[static_cast<size_t>(row)], row);
  }
  const int64_t frozen = frozen_layers();
  const Tensor x = frozen > 0 ? frozen_states(completions.tokens, layout)
                              : embed(completions.tokens, layout.positions);
  return run(x, layout, positions, frozen, config_.layers);
}

Tensor Transformer::run(Tensor x, const model::SequenceLayout& layout, const Tensor& positions,
                        int64_t begin, int64_t end) const {
  if (model::can_fuse(x)) {
    return model::fused_decoder(
        x, fused_weights(begin, end),
        std::make_shared<const model::DecoderBatch>(fused_batch(layout, positions, begin, end)));
  }
  const auto angles = rotation(layout.positions);
  const auto shared_layout = std::make_shared<const model::SequenceLayout>(layout);
  for (int64_t i = begin; i < end; ++i) {
    const bool gathers = i + 1 == config_.layers && positions.size(0) < layout.tokens;
    model::composite::WholeLayer layer{.config = config_,
                                       .block = blocks_[static_cast<size_t>(i)],
                                       .adapters = adapters_,
                                       .number = i,
                                       .rotation = angles,
                                       .layout = shared_layout,
                                       .rows = gathers ? positions : Tensor()};
    x = checkpoints_ ? model::composite::checkpointed(std::move(layer), x) : layer(x);
  }
  return end < config_.layers ? x : model::composite::norm(config_, x, norm_, norm_bias_);
}

std::vector<Tensor> Transformer::fused_weights(int64_t begin, int64_t end) const {
  std::vector<Tensor> weights;
  for (int64_t i = begin; i < end; ++i) {
    for (const auto& field : TransformerBlock::fields) {
      weights.push_back(blocks_[static_cast<size_t>(i)].*field.weight);
    }
  }
  const bool ends = end == config_.layers;
  weights.push_back(ends ? norm_ : Tensor());
  weights.push_back(ends ? norm_bias_ : Tensor());
  return weights;
}

model::DecoderBatch Transformer::fused_batch(const model::SequenceLayout& layout,
                                             const Tensor& rows, int64_t begin, int64_t end) const {
  model::DecoderShape shape = model::decoder_shape(config_);
  shape.layers = end - begin;
  return {.shape = shape,
          .number = model::number_of(precision_),
          .layout = layout,
          .rows = rows,
          .cosines = cosines_,
          .sines = sines_,
          .adapters = adapters_,
          .first_layer = begin,
          .packed = packed_pairs(begin, end),
          .checkpoints = checkpoints_};
}

std::vector<model::PackedPair> Transformer::packed_pairs(int64_t begin, int64_t end) const {
  std::vector<model::PackedPair> pairs;
  if (precision_ != Precision::bfloat16) return pairs;
  bool learns = false;  // here or further below, and so gradients come this way
  for (int64_t layer = begin; layer < end; ++layer) {
    const TransformerBlock& block = blocks_[static_cast<size_t>(layer)];
    for (const auto& field : TransformerBlock::fields) {
      const Tensor& weight = block.*field.weight;
      learns = learns || (weight.defined() && weight.requires_grad());
    }
    for (const auto& place : TransformerBlock::adaptable) {
      const Tensor& weight = block.*place.weight;
      model::PackedPair& pair = pairs.emplace_back();
      if (weight.requires_grad()) continue;
      pair.forward = packs_->forward(kernels::Number::bfloat16, weight);
      if (!learns || !at::GradMode::is_enabled()) continue;
      pair.backward = packs_->backward(kernels::Number::bfloat16, weight);
    }
  }
  return pairs;
}

void Transformer::compute_in(Precision precision) {
  require_known(precision, Precision::bfloat16, "Precision of passes over whole sequences",
                "float32 or bfloat16");
  precision_ = precision;
}

void Transformer::decode_in(Precision precision) {
  require_known(precision, Precision::int8, "Precision of decoding", "float32, bfloat16 or int8");
  decoding_ = precision;
}

void Transformer::train_only_last(int64_t blocks) {
  require(blocks >= 1 && blocks <= config_.layers - frozen_layers(), "blocks to train",
          ">= 1 and <= layers that are not frozen = " +
              std::to_string(config_.layers - frozen_layers()),
          blocks);
  for_each_parameter([](Tensor& weight) { weight.requires_grad_(false); });
  const auto first = static_cast<size_t>(config_.layers - blocks);
  for (size_t i = first; i < blocks_.size(); ++i) {
    for (const auto& field : TransformerBlock::fields) {
      const Tensor& weight = blocks_[i].*field.weight;
      if (weight.defined()) weight.requires_grad_(true);
    }
  }
  norm_.requires_grad_(true);
  if (norm_bias_.defined()) norm_bias_.requires_grad_(true);
}

void Transformer::to(at::ScalarType dtype) {
  for_each_parameter([&](Tensor& weight) {
    weight = weight.detach().to(dtype).requires_grad_(weight.requires_grad());
  });
  if (merged_) merged_ = merged_->with([&](const Tensor& matrix) { return matrix.to(dtype); });
  forget_frozen_states();
  if (!cosines_.defined()) return;
  cosines_ = cosines_.to(dtype);
  sines_ = sines_.to(dtype);
}

void Transformer::to(at::Device device) {
  for_each_parameter([&](Tensor& weight) {
    weight = weight.detach().to(device).requires_grad_(weight.requires_grad());
  });
  if (merged_) merged_ = merged_->with([&](const Tensor& matrix) { return matrix.to(device); });
  forget_frozen_states();
  if (!cosines_.defined()) return;
  cosines_ = cosines_.to(device);
  sines_ = sines_.to(device);
}

}  // namespace rlhf
