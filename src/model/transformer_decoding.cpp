// Transformer token by token, with a key/value cache.
#include <algorithm>

#include "composite_layer.hpp"
#include "fused_decoder.hpp"
#include "fused_step.hpp"
#include "gemm.hpp"
#include "number.hpp"
#include "pool.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/model/transformer.hpp"

namespace rlhf {
namespace {

/// B of a product's adapters, [outputs, rows of A], zeros where an adapter has no part.
Tensor spread(const Tensor& b, int64_t outputs, int64_t rows_of_a,
              const std::vector<model::AdapterPart>& parts, double scale) {
  Tensor whole = torch::zeros({outputs, rows_of_a}, b.options().requires_grad(false));
  for (const model::AdapterPart& part : parts) {
    whole.narrow(0, part.begin, part.rows)
        .narrow(1, part.row_of_a, b.size(1))
        .copy_(b.narrow(0, part.row_of_b, part.rows) * scale);
  }
  return whole;
}

}  // namespace

std::shared_ptr<const model::PackedDecoder> Transformer::packed(const Tensor& output) const {
  std::vector<model::PackedDecoder::Layer> layers;
  const kernels::Number number = model::number_of(decoding_);
  // Of what int8 is too coarse for.
  const kernels::Number low_number =
      number == kernels::Number::int8 ? kernels::Number::float32 : number;
  const auto is_copied = [&](const Tensor& weight) {
    // What passes in bfloat16 have packed is shared with them, as is what adapters stand beside: in
    // float32 it is read where it lies. What learns is another soon.
    if (number == kernels::Number::bfloat16) return weight.requires_grad();
    return number == kernels::Number::int8 || adapters_ == nullptr;
  };
  // A large copy of the weights takes the place of what passes have left waiting.
  constexpr int64_t large = int64_t{1} << 25;  // numbers
  const Tensor& widest = blocks_.back().gate_up;
  if (is_copied(widest) && static_cast<int64_t>(blocks_.size()) * widest.numel() >= large) {
    model::release_pooled();
  }
  const auto linear = [&](const Tensor& weight, const Tensor& bias) {
    model::PackedLinear layer{.weight = weight, .bias = bias, .packed = {}};
    if (is_copied(weight)) {
      layer.packed = std::make_shared<const model::PackedMatrix>(number, weight);
    } else if (number == kernels::Number::bfloat16) {
      layer.packed = packs_->forward(number, weight);
    }
    return layer;
  };
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const TransformerBlock& block = blocks_[i];
    const auto matrix = [&](model::Adapted which, const Tensor& bias) {
      const auto& place = TransformerBlock::adaptable[static_cast<size_t>(which)];
      const Tensor &weight = block.*place.weight, &a = block.*place.a;
      model::PackedLinear layer = linear(weight, bias);
      if (a.defined()) {
        layer.a.emplace(low_number, a);
        layer.b.emplace(low_number, spread(block.*place.b, weight.size(0), a.size(0),
                                           adapters_->parts(static_cast<int64_t>(i), which),
                                           adapters_->options.scale()));
      }
      return layer;
    };
    layers.push_back(
        {.attention_norm = block.attention_norm,
         .attention_norm_bias = block.attention_norm_bias,
         .query_norm = block.query_norm,
         .key_norm = block.key_norm,
         .mlp_norm = block.mlp_norm,
         .mlp_norm_bias = block.mlp_norm_bias,
         .qkv = matrix(model::Adapted::qkv, block.qkv_bias),
         .attention_out = matrix(model::Adapted::attention_out, block.attention_out_bias),
         .gate_up = matrix(model::Adapted::gate_up, block.gate_up_bias),
         .down = matrix(model::Adapted::down, block.down_bias)});
  }
  return std::make_shared<const model::PackedDecoder>(
      model::PackedDecoder{.shape = model::decoder_shape(config_),
                           .embedding = embedding_,
                           .positions = positions_,
                           .layers = std::move(layers),
                           .norm = norm_,
                           .norm_bias = norm_bias_,
                           .output = linear(output, {}),
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
      model::DecoderBatch batch =
          fused_batch(layout, torch::empty({0}, torch::kInt64), 0, config_.layers);
      // As step() computes; int8 is for few rows.
      batch.number =
          decoding_ == Precision::float32 ? kernels::Number::float32 : kernels::Number::bfloat16;
      if (batch.number == kernels::Number::float32) batch.packed.clear();
      model::fused_read(x, fused_weights(0, config_.layers), batch, cache);
    }
    return cache;
  }
  if (layout.tokens == 0) return cache;
  const auto angles = rotation(layout.positions);
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    const model::composite::Layer own = composite_layer(layer);
    const Tensor qkv = model::composite::qkv(own, x, angles);
    const auto [q, k, v] = model::composite::split_heads(config_, model::pad(qkv, layout));
    cache.keys[layer].narrow(2, 0, layout.longest).copy_(k);
    cache.values[layer].narrow(2, 0, layout.longest).copy_(v);
    if (layer + 1 == blocks_.size()) break;  // its output is nobody's input
    x = model::composite::after_attention(own, x,
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
    const model::composite::Layer own = composite_layer(layer);
    const Tensor qkv = model::composite::qkv(own, x, angles);
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
    x = model::composite::after_attention(own, x, mixed.flatten(1));
  }
  for (int64_t& length : cache.lengths) ++length;
  return torch::linear(model::composite::norm(config_, x, norm_, norm_bias_), output);
}

}  // namespace rlhf
