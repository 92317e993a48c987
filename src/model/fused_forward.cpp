#include "fused_passes.hpp"
#include "fused_step.hpp"
#include "gemm.hpp"

namespace rlhf::model::fused {

using kernels::grain;

std::vector<Activations> make_activations(const DecoderBatch& batch, int64_t first) {
  const int64_t tokens = batch.layout.tokens, last = batch.shape.layers - 1;
  std::vector<Activations> layers;
  for (int64_t layer = 0; layer < last; ++layer) {
    if (layer == 0 || (layer >= first && !batch.checkpoints)) {
      layers.emplace_back(batch.shape, tokens, tokens);
      continue;
    }
    layers.push_back(layers.back());
    if (layer >= first) layers.back().out = pooled({tokens, batch.shape.dim});
  }
  layers.emplace_back(batch.shape, tokens, batch.rows.size(0));
  return layers;
}

int64_t low_width(const DecoderBatch& batch) {
  if (batch.adapters == nullptr) return 0;
  size_t most = 0;
  for (const auto& layer : batch.adapters->layers) {
    for (const auto& parts : layer) most = std::max(most, parts.size());
  }
  return static_cast<int64_t>(most) * batch.adapters->options.rank;
}

namespace {

/// Keys and values of these tokens into the cache.
void remember_all(const DecoderBatch& batch, Member::Range range, const Tensor& qkv, KvCache& cache,
                  size_t layer) {
  const DecoderShape& shape = batch.shape;
  const int64_t capacity = cache.capacity(), size = shape.head_size;
  const auto* slots = batch.layout.token_slots.const_data_ptr<int64_t>();
  for (int64_t i = range.begin; i < range.end; ++i) {
    const int64_t row = slots[i] / batch.layout.longest, position = slots[i] % batch.layout.longest;
    for (int64_t head = 0; head < shape.kv_heads; ++head) {
      const int64_t block = (row * shape.kv_heads + head) * size * capacity;
      const float* key = data(qkv) + i * shape.qkv_width() + (shape.heads + head) * size;
      remember(key, key + shape.kv_heads * size, position, size, data(cache.keys[layer]) + block,
               data(cache.values[layer]) + block);
    }
  }
}

Tensor block_for_each_thread(const DecoderBatch& batch, int64_t width) {
  return pooled({kernels::threads_for(batch.layout.tokens) * block_rows, width});
}

/// Each head of these tokens' queries and keys normed in place; their old values stay in `a`.
void norm_heads(const DecoderShape& shape, Member::Range range, const Weights& w,
                const Activations& a) {
  const auto norm = kernels::kernels().rms_norm.forward;
  const int64_t size = shape.head_size, width = (shape.heads + shape.kv_heads) * size;
  for (int64_t i = range.begin; i < range.end; ++i) {
    float *raw = at(a.raw_heads, i), *heads = at(a.qkv, i), *scale = at(a.head_scale, i);
    std::copy_n(heads, width, raw);
    norm(raw, data(w[query_norm]), nullptr, shape.epsilon, shape.heads, size, heads, scale);
    norm(raw + shape.heads * size, data(w[key_norm]), nullptr, shape.epsilon, shape.kv_heads, size,
         heads + shape.heads * size, scale + shape.heads);
  }
}

}  // namespace

ForwardPass::ForwardPass(at::TensorList weights, const DecoderBatch& batch, bool learns,
                         KvCache* cache)
    : weights_(weights),
      batch_(batch),
      shape_(batch.shape),
      learns_(learns),
      cache_(cache),
      packs_(LayerPacks::Way::forward, weights, batch),
      normed_(block_for_each_thread(batch, shape_.dim)),
      product_(block_for_each_thread(batch, shape_.hidden_dim)),
      low_(block_for_each_thread(batch, low_width(batch))),
      x_rows_(pooled({batch.rows.size(0), shape_.dim})),
      mixed_rows_(pooled({batch.rows.size(0), shape_.mixed_width()})),
      tasks_(batch),
      scratch_(tasks_.scratch(kernels::threads_for(batch.layout.tokens))) {}

void ForwardPass::product(const Member& member, int64_t layer, Adapted which, Slot bias,
                          const float* x, Member::Range rows, const Tensor& y, const float* added) {
  const Weights w(weights_, layer);
  const PackedMatrix& matrix = *packs_.at(layer, which);
  linear(matrix, x, rows.size(), w[bias], at(y, rows.begin), added);
  low_rank(batch_, w, layer, which)
      .add(x, rows.size(), at(low_, member.rank * block_rows), at(y, rows.begin), matrix.outputs);
}

void ForwardPass::before_attention(const Member& member, int64_t layer, const float* in,
                                   Member::Range rows, const Activations& a) {
  const Weights w(weights_, layer);
  float* const normed = at(normed_, member.rank * block_rows);
  shape_.norm_kernels().forward(in + rows.begin * shape_.dim, data(w[attention_norm]),
                                data(w[attention_norm_bias]), shape_.epsilon, rows.size(),
                                shape_.dim, normed, at(a.attention_scale, rows.begin));
  product(member, layer, Adapted::qkv, qkv_bias, normed, rows, a.qkv);
  if (shape_.query_key_norm) norm_heads(shape_, rows, w, a);
  if (shape_.rotary) {
    kernels::kernels().rotate(at(a.qkv, rows.begin), rows.size(), shape_.qkv_width(),
                              shape_.heads + shape_.kv_heads, shape_.head_size,
                              batch_.layout.positions.const_data_ptr<int64_t>() + rows.begin,
                              data(batch_.cosines), data(batch_.sines), 1);
  }
  if (cache_ != nullptr) remember_all(batch_, rows, a.qkv, *cache_, static_cast<size_t>(layer));
}

void ForwardPass::after_attention(const Member& member, int64_t layer, const float* in,
                                  const float* mixed, Member::Range rows, const Activations& a,
                                  Until until) {
  const Weights w(weights_, layer);
  float* const normed = at(normed_, member.rank * block_rows);
  float* const inside = at(product_, member.rank * block_rows);
  product(member, layer, Adapted::attention_out, attention_out_bias, mixed, rows, a.middle, in);
  shape_.norm_kernels().forward(at(a.middle, rows.begin), data(w[mlp_norm]), data(w[mlp_norm_bias]),
                                shape_.epsilon, rows.size(), shape_.dim, normed,
                                at(a.mlp_scale, rows.begin));
  product(member, layer, Adapted::gate_up, gate_up_bias, normed, rows, a.gate_up);
  if (until == Until::inside) return;
  shape_.activation_kernels().forward(at(a.gate_up, rows.begin), rows.size(), shape_.hidden_dim,
                                      inside);
  product(member, layer, Adapted::down, down_bias, inside, rows, a.out, at(a.middle, rows.begin));
}

void ForwardPass::layer(const Member& member, int64_t layer, const float* in, const Activations& a,
                        Until until) {
  const int64_t tokens = batch_.layout.tokens, rows = batch_.rows.size(0);
  const bool last = layer == shape_.layers - 1;
  packs_.make(member, layer);
  for_each_block(member.part(tokens, grain),
                 [&](Member::Range block) { before_attention(member, layer, in, block, a); });
  if (rows == 0 && last) return;  // nobody wants its output
  member.barrier();
  tasks_.run(layer, data(a.qkv),
             [&](const kernels::AttentionHeads& heads, int64_t token, int64_t head) {
               kernels::kernels().attention(heads, at(a.mixed, token) + head * shape_.head_size,
                                            shape_.mixed_width(),
                                            learns_ ? at(a.log_sum, token) + head : nullptr,
                                            shape_.heads, at(scratch_, member.rank));
             });
  member.barrier();
  // From here on, the last layer works on the wanted rows alone.
  const bool gathers = last && rows < tokens;
  const auto* wanted = batch_.rows.const_data_ptr<int64_t>();
  for_each_block(member.part(gathers ? rows : tokens, grain), [&](Member::Range block) {
    const float *residual = in + block.begin * shape_.dim, *mixed = at(a.mixed, block.begin);
    if (gathers) {
      gather(in, wanted, block, shape_.dim, data(x_rows_));
      gather(data(a.mixed), wanted, block, shape_.mixed_width(), data(mixed_rows_));
      residual = at(x_rows_, block.begin);
      mixed = at(mixed_rows_, block.begin);
    }
    after_attention(member, layer, residual, mixed, block, a, until);
  });
}

Tensor forward_pass(const Tensor& x, at::TensorList weights, const DecoderBatch& batch,
                    const std::vector<Activations>& layers, const Tensor& final_scale, bool learns,
                    KvCache* cache) {
  const DecoderShape& shape = batch.shape;
  const int64_t rows = batch.rows.size(0);
  const Tensor &norm = weights.end()[-2], &norm_bias = weights.back();
  const Tensor hidden = norm.defined() ? pooled({rows, shape.dim}) : layers.back().out;
  ForwardPass pass(weights, batch, learns, cache);
  kernels::run_team(kernels::threads_for(x.size(0)), [&](const Member& member) {
    const float* in = data(x);
    for (int64_t layer = 0; layer < shape.layers; ++layer) {
      const Activations& a = layers[static_cast<size_t>(layer)];
      pass.layer(member, layer, in, a, ForwardPass::Until::result);
      in = data(a.out);
    }
    if (!norm.defined() || rows == 0) return;
    const Member::Range part = member.part(rows, grain);
    shape.norm_kernels().forward(in + part.begin * shape.dim, data(norm), data(norm_bias),
                                 shape.epsilon, part.size(), shape.dim, at(hidden, part.begin),
                                 at(final_scale, part.begin));
  });
  return hidden;
}

}  // namespace rlhf::model::fused
