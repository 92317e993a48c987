#include "rlhf/model/transformer.hpp"

#include <algorithm>
#include <cmath>

#include "composite_layer.hpp"
#include "fused_decoder.hpp"
#include "fused_step.hpp"
#include "gemm.hpp"
#include "number.hpp"
#include "pool.hpp"
#include "rlhf/core/error.hpp"
#include "rotary.hpp"

namespace rlhf {
namespace {

model::DecoderShape decoder_shape(const TransformerConfig& config) {
  return {.dim = config.dim,
          .hidden_dim = config.hidden_dim,
          .layers = config.layers,
          .heads = config.heads,
          .kv_heads = config.key_heads(),
          .head_size = config.head_size(),
          .epsilon = static_cast<float>(config.norm_epsilon),
          .norm = config.norm,
          .activation = config.activation,
          .rotary = config.positions == Positions::rotary,
          .query_key_norm = config.query_key_norm};
}

std::vector<int64_t> row_lengths(const Completions& completions) {
  return int64_vector(completions.lengths());
}

}  // namespace

const std::array<TransformerBlock::Field, 14> TransformerBlock::fields = {
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
     {"down_bias", &TransformerBlock::down_bias}}};

Transformer::Transformer(const TransformerConfig& config, Generator& generator) : config_(config) {
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

template <class Function>
void Transformer::for_each_parameter(Function&& function) {
  const auto visit = [&](Tensor& weight) {
    if (weight.defined()) function(weight);
  };
  visit(embedding_);
  visit(positions_);
  for (TransformerBlock& block : blocks_) {
    for (const auto& field : TransformerBlock::fields) visit(block.*field.weight);
  }
  visit(norm_);
  visit(norm_bias_);
}

Transformer Transformer::clone() const {
  Transformer copy;
  copy.config_ = config_;
  copy.embedding_ = embedding_;
  copy.positions_ = positions_;
  copy.blocks_ = blocks_;
  copy.norm_ = norm_;
  copy.norm_bias_ = norm_bias_;
  copy.cosines_ = cosines_;
  copy.sines_ = sines_;
  copy.precision_ = precision_;
  copy.decoding_ = decoding_;
  copy.for_each_parameter([](Tensor& weight) {
    weight = weight.detach().clone().requires_grad_(weight.requires_grad());
  });
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

void Transformer::check_length(int64_t length, int64_t row) const {
  require(length <= config_.context_length, "tokens of sequence " + std::to_string(row),
          "at most context_length = " + std::to_string(config_.context_length), length);
}

void Transformer::check_tokens(const Tensor& tokens) const {
  if (tokens.numel() == 0) return;
  const auto [least, most] = tokens.aminmax();
  const int64_t low = least.item<int64_t>(), high = most.item<int64_t>();
  require(low >= 0 && high < config_.vocab_size, "token",
          ">= 0 and < vocab_size = " + std::to_string(config_.vocab_size), low < 0 ? low : high);
}

Tensor Transformer::embed(const Tensor& tokens, const Tensor& positions) const {
  check_tokens(tokens);
  const Tensor x = torch::embedding(embedding_, tokens);
  return positions_.defined() ? x + torch::embedding(positions_, positions) : x;
}

std::pair<Tensor, Tensor> Transformer::rotation(const Tensor& positions) const {
  if (config_.positions == Positions::learned) return {};
  return {cosines_.index_select(0, positions).unsqueeze(1),
          sines_.index_select(0, positions).unsqueeze(1)};
}

Tensor Transformer::hidden(const Completions& completions, const Tensor& positions) const {
  const model::SequenceLayout layout(row_lengths(completions), completions.tokens.device());
  for (int64_t row = 0; row < layout.size(); ++row) {
    check_length(layout.lengths[static_cast<size_t>(row)], row);
  }
  Tensor x = embed(completions.tokens, layout.positions);
  if (model::can_fuse(x)) {
    return model::fused_decoder(
        x, fused_weights(),
        std::make_shared<const model::DecoderBatch>(fused_batch(layout, positions)));
  }
  const auto angles = rotation(layout.positions);
  for (const TransformerBlock& block : blocks_) {
    Tensor mixed = model::composite::causal_attention(
        config_, model::composite::qkv(config_, block, x, angles), layout);
    if (&block == &blocks_.back() && positions.size(0) < layout.tokens) {
      mixed = model::select_rows(mixed, positions);
      x = model::select_rows(x, positions);
    }
    x = model::composite::after_attention(config_, block, x, mixed);
  }
  return model::composite::norm(config_, x, norm_, norm_bias_);
}

std::vector<Tensor> Transformer::fused_weights() const {
  std::vector<Tensor> weights;
  for (const TransformerBlock& block : blocks_) {
    for (const auto& field : TransformerBlock::fields) weights.push_back(block.*field.weight);
  }
  weights.push_back(norm_);
  weights.push_back(norm_bias_);
  return weights;
}

model::DecoderBatch Transformer::fused_batch(const model::SequenceLayout& layout,
                                             const Tensor& rows) const {
  return {.shape = decoder_shape(config_),
          .number = model::number_of(precision_),
          .layout = layout,
          .rows = rows,
          .cosines = cosines_,
          .sines = sines_};
}

std::shared_ptr<const model::PackedDecoder> Transformer::packed(const Tensor& output) const {
  std::vector<model::PackedDecoder::Layer> layers;
  const kernels::Number number = model::number_of(decoding_);
  for (const TransformerBlock& block : blocks_) {
    layers.push_back({.attention_norm = block.attention_norm,
                      .attention_norm_bias = block.attention_norm_bias,
                      .query_norm = block.query_norm,
                      .key_norm = block.key_norm,
                      .mlp_norm = block.mlp_norm,
                      .mlp_norm_bias = block.mlp_norm_bias,
                      .qkv = model::PackedMatrix(number, block.qkv, block.qkv_bias),
                      .attention_out = model::PackedMatrix(number, block.attention_out,
                                                           block.attention_out_bias),
                      .gate_up = model::PackedMatrix(number, block.gate_up, block.gate_up_bias),
                      .down = model::PackedMatrix(number, block.down, block.down_bias)});
  }
  return std::make_shared<const model::PackedDecoder>(
      model::PackedDecoder{.shape = decoder_shape(config_),
                           .embedding = embedding_,
                           .positions = positions_,
                           .layers = std::move(layers),
                           .norm = norm_,
                           .norm_bias = norm_bias_,
                           .output = model::PackedMatrix(number, output),
                           .cosines = cosines_,
                           .sines = sines_});
}

KvCache Transformer::read(const Tensor& tokens, const std::vector<int64_t>& lengths, int64_t room,
                          const Tensor& output) const {
  NoGrad no_grad;
  const model::SequenceLayout layout(lengths, tokens.device());
  for (int64_t row = 0; row < layout.size(); ++row) {
    check_length(layout.lengths[static_cast<size_t>(row)], row);
  }
  const int64_t key_heads = config_.key_heads(), head_size = config_.head_size();
  KvCache cache{.keys = {}, .values = {}, .lengths = lengths};
  const int64_t capacity =
      model::cache_capacity(std::min(layout.longest + room, config_.context_length));
  const bool fused = model::can_fuse(embedding_) && model::can_fuse(output);
  // The kernels read no further than the lengths say: what lies behind may be anything.
  const auto room_for = [&](at::IntArrayRef sizes) {
    return fused ? model::pooled(sizes)
                 : torch::zeros(sizes, embedding_.options().requires_grad(false));
  };
  const int64_t block = kernels::key_block;
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    cache.values.push_back(room_for({layout.size(), key_heads, capacity, head_size}));
    cache.keys.push_back(
        fused ? room_for({layout.size(), key_heads, capacity / block, head_size, block})
              : room_for({layout.size(), key_heads, capacity, head_size}));
  }
  Tensor x = embed(tokens, layout.positions);
  if (fused) {
    cache.packed = packed(output);
    if (layout.tokens > 0) {
      model::DecoderBatch batch = fused_batch(layout, torch::empty({0}, torch::kInt64));
      // As step() computes; int8 is for few rows.
      batch.number =
          decoding_ == Precision::float32 ? kernels::Number::float32 : kernels::Number::bfloat16;
      model::fused_read(x, fused_weights(), batch, cache);
    }
    return cache;
  }
  if (layout.tokens == 0) return cache;
  const auto angles = rotation(layout.positions);
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    const TransformerBlock& block = blocks_[layer];
    const Tensor qkv = model::composite::qkv(config_, block, x, angles);
    const auto [q, k, v] = model::composite::split_heads(config_, model::pad(qkv, layout));
    cache.keys[layer].narrow(2, 0, layout.longest).copy_(k);
    cache.values[layer].narrow(2, 0, layout.longest).copy_(v);
    if (&block == &blocks_.back()) break;  // its output is nobody's input
    x = model::composite::after_attention(config_, block, x,
                                          model::composite::causal_attention(config_, qkv, layout));
  }
  return cache;
}

Tensor Transformer::step(KvCache& cache, const Tensor& tokens, const Tensor& output) const {
  NoGrad no_grad;
  require_shape(tokens, {cache.size()}, "tokens of Decoder::step");
  const auto longest_before = *std::max_element(cache.lengths.begin(), cache.lengths.end());
  const int64_t longest = longest_before + 1;
  check_length(longest, std::max_element(cache.lengths.begin(), cache.lengths.end()) -
                            cache.lengths.begin());
  if (model::cache_capacity(longest) > cache.capacity()) {
    cache.reserve(std::min(config_.context_length, std::max(longest, 2 * longest_before)));
  }
  if (cache.packed) {
    check_tokens(tokens);
    return model::fused_step(cache, tokens.contiguous());
  }
  const int64_t queries = config_.heads, key_heads = config_.key_heads();
  const Tensor positions = int64_tensor(cache.lengths).to(tokens.device());
  const auto angles = rotation(positions);
  const bool ragged = std::any_of(cache.lengths.begin(), cache.lengths.end(),
                                  [&](int64_t n) { return n != longest_before; });
  const Tensor rows = torch::arange(cache.size(), positions.options());
  std::optional<Tensor> mask;
  if (ragged) {
    mask = (torch::arange(longest, positions.options()).unsqueeze(0) <= positions.unsqueeze(1))
               .view({cache.size(), 1, 1, longest});
  }
  Tensor x = embed(tokens, positions);
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    const TransformerBlock& block = blocks_[layer];
    const Tensor qkv = model::composite::qkv(config_, block, x, angles);
    const Tensor k = qkv.narrow(1, queries, key_heads);
    const Tensor v = qkv.narrow(1, queries + key_heads, key_heads);
    if (ragged) {
      cache.keys[layer].transpose(1, 2).index_put_({rows, positions}, k);
      cache.values[layer].transpose(1, 2).index_put_({rows, positions}, v);
    } else {
      cache.keys[layer].select(2, longest_before).copy_(k);
      cache.values[layer].select(2, longest_before).copy_(v);
    }
    const Tensor mixed = at::scaled_dot_product_attention(
        qkv.narrow(1, 0, queries).unsqueeze(2), cache.keys[layer].narrow(2, 0, longest),
        cache.values[layer].narrow(2, 0, longest), mask, 0.0,
        /*is_causal=*/false, {}, queries != key_heads);
    x = model::composite::after_attention(config_, block, x, mixed.flatten(1));
  }
  for (int64_t& length : cache.lengths) ++length;
  return torch::linear(model::composite::norm(config_, x, norm_, norm_bias_), output);
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
  require(blocks >= 1 && blocks <= config_.layers, "blocks to train",
          ">= 1 and <= layers = " + std::to_string(config_.layers), blocks);
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
  if (!cosines_.defined()) return;
  cosines_ = cosines_.to(dtype);
  sines_ = sines_.to(dtype);
}

void Transformer::to(at::Device device) {
  for_each_parameter([&](Tensor& weight) {
    weight = weight.detach().to(device).requires_grad_(weight.requires_grad());
  });
  if (!cosines_.defined()) return;
  cosines_ = cosines_.to(device);
  sines_ = sines_.to(device);
}

}  // namespace rlhf
