#include "fused_passes.hpp"
#include "fused_step.hpp"
#include "gemm.hpp"

namespace rlhf::model::fused {

using kernels::grain;

std::vector<Activations> make_activations(const DecoderBatch& batch, int64_t first) {
  const int64_t tokens = batch.layout.tokens, last = batch.shape.layers - 1;
  std::vector<Activations> layers;
  for (int64_t layer = 0; layer < last; ++layer) {
    if (layer == 0 || layer >= first) {
      layers.emplace_back(batch.shape, tokens, tokens);
    } else {
      layers.push_back(layers.back());
    }
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

Tensor forward_pass(const Tensor& x, at::TensorList weights, const DecoderBatch& batch,
                    const std::vector<Activations>& layers, const Tensor& final_scale, bool learns,
                    KvCache* cache) {
  const DecoderShape& shape = batch.shape;
  const auto& k = kernels::kernels();
  const auto norm = shape.norm_kernels().forward;
  const int64_t tokens = x.size(0), rows = batch.rows.size(0);
  const int threads = kernels::threads_for(tokens);
  const Tensor hidden = pooled({rows, shape.dim});
  const Tensor normed = pooled({tokens, shape.dim}),
               mixed_rows = pooled({rows, shape.mixed_width()});
  const Tensor product = pooled({tokens, shape.hidden_dim}), x_rows = pooled({rows, shape.dim});
  const Tensor low = pooled({tokens, low_width(batch)});
  AttentionTasks tasks(batch);
  const Tensor scratch = tasks.scratch(threads);
  const auto* positions = batch.layout.positions.const_data_ptr<int64_t>();
  const auto* wanted = batch.rows.const_data_ptr<int64_t>();

  kernels::run_team(threads, [&](const Member& member) {
    const Member::Range mine = member.part(tokens, grain);
    const float* in = data(x);
    for (int64_t layer = 0; layer < shape.layers; ++layer) {
      const Weights w(weights, layer);
      const Activations& a = layers[static_cast<size_t>(layer)];
      const auto adapt = [&](Adapted which, const float* from, Member::Range range, float* to,
                             int64_t width) {
        low_rank(batch, w, layer, which).add(from, range.size(), at(low, range.begin), to, width);
      };
      norm(in + mine.begin * shape.dim, data(w[attention_norm]), data(w[attention_norm_bias]),
           shape.epsilon, mine.size(), shape.dim, at(normed, mine.begin),
           at(a.attention_scale, mine.begin));
      linear(batch.number, at(normed, mine.begin), mine.size(), w[qkv], w[qkv_bias],
             at(a.qkv, mine.begin));
      adapt(Adapted::qkv, at(normed, mine.begin), mine, at(a.qkv, mine.begin), shape.qkv_width());
      if (shape.query_key_norm) norm_heads(shape, mine, w, a);
      if (shape.rotary) {
        k.rotate(at(a.qkv, mine.begin), mine.size(), shape.qkv_width(),
                 shape.heads + shape.kv_heads, shape.head_size, positions + mine.begin,
                 data(batch.cosines), data(batch.sines), 1);
      }
      if (cache != nullptr) remember_all(batch, mine, a.qkv, *cache, static_cast<size_t>(layer));
      if (rows == 0 && layer == shape.layers - 1) return;  // nobody wants its output
      member.barrier();
      tasks.run(layer, data(a.qkv),
                [&](const kernels::AttentionHeads& heads, int64_t token, int64_t head) {
                  k.attention(heads, at(a.mixed, token) + head * shape.head_size,
                              shape.mixed_width(), learns ? at(a.log_sum, token) + head : nullptr,
                              shape.heads, at(scratch, member.rank));
                });
      member.barrier();
      // From here on, the last layer works on the wanted rows alone.
      Member::Range part = mine;
      const float *residual = in + mine.begin * shape.dim, *mixed = at(a.mixed, mine.begin);
      if (layer == shape.layers - 1 && rows < tokens) {
        part = member.part(rows, grain);
        gather(in, wanted, part, shape.dim, data(x_rows));
        gather(data(a.mixed), wanted, part, shape.mixed_width(), data(mixed_rows));
        residual = at(x_rows, part.begin);
        mixed = at(mixed_rows, part.begin);
      }
      linear(batch.number, mixed, part.size(), w[attention_out], w[attention_out_bias],
             at(a.middle, part.begin), residual);
      adapt(Adapted::attention_out, mixed, part, at(a.middle, part.begin), shape.dim);
      norm(at(a.middle, part.begin), data(w[mlp_norm]), data(w[mlp_norm_bias]), shape.epsilon,
           part.size(), shape.dim, at(normed, part.begin), at(a.mlp_scale, part.begin));
      linear(batch.number, at(normed, part.begin), part.size(), w[gate_up], w[gate_up_bias],
             at(a.gate_up, part.begin));
      adapt(Adapted::gate_up, at(normed, part.begin), part, at(a.gate_up, part.begin),
            shape.gate_up_width());
      shape.activation_kernels().forward(at(a.gate_up, part.begin), part.size(), shape.hidden_dim,
                                         at(product, part.begin));
      linear(batch.number, at(product, part.begin), part.size(), w[down], w[down_bias],
             at(a.out, part.begin), at(a.middle, part.begin));
      adapt(Adapted::down, at(product, part.begin), part, at(a.out, part.begin), shape.dim);
      in = data(a.out);
    }
    const Member::Range part = member.part(rows, grain);
    norm(in + part.begin * shape.dim, data(weights.end()[-2]), data(weights.back()), shape.epsilon,
         part.size(), shape.dim, at(hidden, part.begin), at(final_scale, part.begin));
  });
  return hidden;
}

}  // namespace rlhf::model::fused
