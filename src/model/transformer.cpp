#include "rlhf/model/transformer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fused_decoder.hpp"
#include "fused_step.hpp"
#include "gemm.hpp"
#include "number.hpp"
#include "pool.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/model/layers.hpp"

namespace rlhf {
namespace {

/// Shapes that every layer of one forward pass shares.
struct Heads {
  int64_t queries, keys, size;
  explicit Heads(const TransformerConfig& config)
      : queries(config.heads), keys(config.key_heads()), size(config.head_size()) {}
};

Tensor mlp(const TransformerBlock& block, const Tensor& x, double epsilon) {
  const Tensor gate_up = torch::linear(model::rms_norm(x, block.mlp_norm, epsilon), block.gate_up);
  return x + torch::linear(model::swiglu(gate_up), block.down);
}

/// Queries, keys and values of every token, rotated: [N, heads + 2 kv_heads, head_size].
Tensor rotated_qkv(const TransformerBlock& block, const Tensor& x, const Heads& heads,
                   double epsilon, const std::pair<Tensor, Tensor>& rotation) {
  const Tensor qkv = torch::linear(model::rms_norm(x, block.attention_norm, epsilon), block.qkv);
  return model::rotate(qkv.view({-1, heads.queries + 2 * heads.keys, heads.size}),
                       heads.queries + heads.keys, rotation.first, rotation.second);
}

/// [B, heads, T, size] each, from [B, T, all heads, size].
std::array<Tensor, 3> split_heads(const Tensor& padded, const Heads& heads) {
  const auto parts = padded.split_with_sizes({heads.queries, heads.keys, heads.keys}, 2);
  return {parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2)};
}

/// Causal attention inside each sequence: [N, all heads, size] to [N, heads * size].
Tensor causal_attention(const Tensor& qkv, const model::SequenceLayout& layout,
                        const Heads& heads) {
  const auto [q, k, v] = split_heads(model::pad(qkv, layout), heads);
  const Tensor mixed = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true, {},
                                                        heads.queries != heads.keys);
  return model::unpad(mixed.transpose(1, 2).flatten(2), layout);
}

model::DecoderShape decoder_shape(const TransformerConfig& config) {
  return {.dim = config.dim,
          .hidden_dim = config.hidden_dim,
          .layers = config.layers,
          .heads = config.heads,
          .kv_heads = config.key_heads(),
          .head_size = config.head_size(),
          .epsilon = static_cast<float>(config.norm_epsilon)};
}

/// Radians a token of each pair, float64 [head_size / 2].
Tensor rotary_frequencies(const TransformerConfig& config) {
  const int64_t size = config.head_size();
  const Tensor exponents = torch::arange(0, size, 2, torch::kFloat64) / size;
  const Tensor fast = torch::pow(config.rope_base, -exponents);
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.factor == 1) return fast;
  const Tensor turns =
      fast * static_cast<double>(scaling.original_context) / (2 * std::numbers::pi);
  const Tensor share = ((turns - scaling.low) / (scaling.high - scaling.low)).clamp(0, 1);
  return fast * (share + (1 - share) / scaling.factor);
}

std::vector<int64_t> row_lengths(const Completions& completions) {
  return int64_vector(completions.lengths());
}

}  // namespace

Transformer::Transformer(const TransformerConfig& config, Generator& generator) : config_(config) {
  config.validate();
  const Heads heads(config);
  const double residual_std = 0.02 / std::sqrt(2.0 * static_cast<double>(config.layers));
  const auto normal = [&](int64_t rows, int64_t columns, double std) {
    Tensor weight = torch::empty({rows, columns});
    generator.fill_normal(weight, 0.0, std);
    return weight.requires_grad_();
  };
  const auto ones = [&] { return torch::ones({config.dim}).requires_grad_(); };
  embedding_ = normal(config.vocab_size, config.dim, 0.02);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    blocks_.push_back(
        {.attention_norm = ones(),
         .qkv = normal((heads.queries + 2 * heads.keys) * heads.size, config.dim, 0.02),
         .attention_out = normal(config.dim, heads.queries * heads.size, residual_std),
         .mlp_norm = ones(),
         .gate_up = normal(2 * config.hidden_dim, config.dim, 0.02),
         .down = normal(config.dim, config.hidden_dim, residual_std)});
  }
  norm_ = ones();

  const Tensor angles = torch::outer(torch::arange(config.context_length, torch::kFloat64),
                                     rotary_frequencies(config));
  cosines_ = angles.cos().to(torch::kFloat32);
  sines_ = angles.sin().to(torch::kFloat32);
}

template <class Function>
void Transformer::for_each_parameter(Function&& function) {
  function(embedding_);
  for (auto& block : blocks_) {
    for (Tensor* weight : {&block.attention_norm, &block.qkv, &block.attention_out, &block.mlp_norm,
                           &block.gate_up, &block.down}) {
      function(*weight);
    }
  }
  function(norm_);
}

Transformer Transformer::clone() const {
  Transformer copy;
  copy.config_ = config_;
  copy.embedding_ = embedding_;
  copy.blocks_ = blocks_;
  copy.norm_ = norm_;
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
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const std::string prefix = "layers." + std::to_string(i) + ".";
    named.emplace_back(prefix + "attention_norm", blocks_[i].attention_norm);
    named.emplace_back(prefix + "qkv", blocks_[i].qkv);
    named.emplace_back(prefix + "attention_out", blocks_[i].attention_out);
    named.emplace_back(prefix + "mlp_norm", blocks_[i].mlp_norm);
    named.emplace_back(prefix + "gate_up", blocks_[i].gate_up);
    named.emplace_back(prefix + "down", blocks_[i].down);
  }
  named.emplace_back("norm", norm_);
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

Tensor Transformer::embed(const Tensor& tokens) const {
  check_tokens(tokens);
  return torch::embedding(embedding_, tokens);
}

std::pair<Tensor, Tensor> Transformer::rotation(const Tensor& positions) const {
  return {cosines_.index_select(0, positions).unsqueeze(1),
          sines_.index_select(0, positions).unsqueeze(1)};
}

Tensor Transformer::hidden(const Completions& completions, const Tensor& positions) const {
  const model::SequenceLayout layout(row_lengths(completions), completions.tokens.device());
  for (int64_t row = 0; row < layout.size(); ++row) {
    check_length(layout.lengths[static_cast<size_t>(row)], row);
  }
  const Heads heads(config_);
  Tensor x = embed(completions.tokens);
  if (model::can_fuse(x)) {
    return model::fused_decoder(
        x, fused_weights(),
        std::make_shared<const model::DecoderBatch>(fused_batch(layout, positions)));
  }
  const auto angles = rotation(layout.positions);
  for (const TransformerBlock& block : blocks_) {
    const Tensor qkv = rotated_qkv(block, x, heads, config_.norm_epsilon, angles);
    Tensor mixed = causal_attention(qkv, layout, heads);
    if (&block == &blocks_.back() && positions.size(0) < layout.tokens) {
      mixed = model::select_rows(mixed, positions);
      x = model::select_rows(x, positions);
    }
    x = x + torch::linear(mixed, block.attention_out);
    x = mlp(block, x, config_.norm_epsilon);
  }
  return model::rms_norm(x, norm_, config_.norm_epsilon);
}

std::vector<Tensor> Transformer::fused_weights() const {
  std::vector<Tensor> weights;
  for (const TransformerBlock& block : blocks_) {
    weights.insert(weights.end(), {block.attention_norm, block.qkv, block.attention_out,
                                   block.mlp_norm, block.gate_up, block.down});
  }
  weights.push_back(norm_);
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
                      .mlp_norm = block.mlp_norm,
                      .qkv = model::PackedMatrix(number, block.qkv),
                      .attention_out = model::PackedMatrix(number, block.attention_out),
                      .gate_up = model::PackedMatrix(number, block.gate_up),
                      .down = model::PackedMatrix(number, block.down)});
  }
  return std::make_shared<const model::PackedDecoder>(
      model::PackedDecoder{.shape = decoder_shape(config_),
                           .embedding = embedding_,
                           .layers = std::move(layers),
                           .norm = norm_,
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
  const Heads heads(config_);
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
    cache.values.push_back(room_for({layout.size(), heads.keys, capacity, heads.size}));
    cache.keys.push_back(
        fused ? room_for({layout.size(), heads.keys, capacity / block, heads.size, block})
              : room_for({layout.size(), heads.keys, capacity, heads.size}));
  }
  Tensor x = embed(tokens);
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
    const Tensor qkv = rotated_qkv(block, x, heads, config_.norm_epsilon, angles);
    const auto [q, k, v] = split_heads(model::pad(qkv, layout), heads);
    cache.keys[layer].narrow(2, 0, layout.longest).copy_(k);
    cache.values[layer].narrow(2, 0, layout.longest).copy_(v);
    if (&block == &blocks_.back()) break;  // its output is nobody's input
    x = x + torch::linear(causal_attention(qkv, layout, heads), block.attention_out);
    x = mlp(block, x, config_.norm_epsilon);
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
  const Heads heads(config_);
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
  Tensor x = embed(tokens);
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    const TransformerBlock& block = blocks_[layer];
    const Tensor qkv = rotated_qkv(block, x, heads, config_.norm_epsilon, angles);
    const Tensor k = qkv.narrow(1, heads.queries, heads.keys);
    const Tensor v = qkv.narrow(1, heads.queries + heads.keys, heads.keys);
    if (ragged) {
      cache.keys[layer].transpose(1, 2).index_put_({rows, positions}, k);
      cache.values[layer].transpose(1, 2).index_put_({rows, positions}, v);
    } else {
      cache.keys[layer].select(2, longest_before).copy_(k);
      cache.values[layer].select(2, longest_before).copy_(v);
    }
    const Tensor mixed = at::scaled_dot_product_attention(
        qkv.narrow(1, 0, heads.queries).unsqueeze(2), cache.keys[layer].narrow(2, 0, longest),
        cache.values[layer].narrow(2, 0, longest), mask, 0.0,
        /*is_causal=*/false, {}, heads.queries != heads.keys);
    x = x + torch::linear(mixed.flatten(1), block.attention_out);
    x = mlp(block, x, config_.norm_epsilon);
  }
  for (int64_t& length : cache.lengths) ++length;
  return torch::linear(model::rms_norm(x, norm_, config_.norm_epsilon), output);
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
    for (Tensor* weight : {&blocks_[i].attention_norm, &blocks_[i].qkv, &blocks_[i].attention_out,
                           &blocks_[i].mlp_norm, &blocks_[i].gate_up, &blocks_[i].down}) {
      weight->requires_grad_(true);
    }
  }
  norm_.requires_grad_(true);
}

void Transformer::to(at::ScalarType dtype) {
  for_each_parameter([&](Tensor& weight) {
    weight = weight.detach().to(dtype).requires_grad_(weight.requires_grad());
  });
  cosines_ = cosines_.to(dtype);
  sines_ = sines_.to(dtype);
}

void Transformer::to(at::Device device) {
  for_each_parameter([&](Tensor& weight) {
    weight = weight.detach().to(device).requires_grad_(weight.requires_grad());
  });
  cosines_ = cosines_.to(device);
  sines_ = sines_.to(device);
}

}  // namespace rlhf
