#include "fused_step.hpp"

#include "../kernels/kernels.hpp"
#include "../kernels/team.hpp"
#include "gemm.hpp"
#include "pool.hpp"

namespace rlhf::model {

void PackedLinear::product(const float* x, int64_t rows, float* low, float* y, bool add) const {
  linear(kernels::Number::float32, x, rows, weight, packed.get(), bias, y, add ? y : nullptr);
  if (!a) return;
  a->product(x, rows, low);
  b->product(low, rows, y, y, b->outputs);
}

namespace {

/// Columns of the widest inner result of adapters.
int64_t low_width(const PackedDecoder& model) {
  int64_t most = 0;
  for (const PackedDecoder::Layer& layer : model.layers) {
    for (const auto* linear : {&layer.qkv, &layer.attention_out, &layer.gate_up, &layer.down}) {
      if (linear->a) most = std::max(most, linear->a->outputs);
    }
  }
  return most;
}

/// The rows one thread takes from their tokens to their logits, and its memory on the way.
class Rows {
 public:
  Rows(KvCache& cache, kernels::Member::Range range, int64_t longest)
      : cache_(cache),
        model_(*cache.packed),
        shape_(model_.shape),
        range_(range),
        count_(range.size()),
        x_(take(shape_.dim)),
        normed_(take(shape_.dim)),
        qkv_(take(shape_.qkv_width())),
        mixed_(take(shape_.mixed_width())),
        gate_up_(take(shape_.gate_up_width())),
        product_(take(shape_.hidden_dim)),
        low_(take(low_width(model_))),
        scratch_(static_cast<size_t>(longest + 15)) {}

  void run(const int64_t* tokens, float* logits) {
    const auto& k = kernels::kernels();
    const int64_t* positions = cache_.lengths.data() + range_.begin;
    const float* embedding = model_.embedding.const_data_ptr<float>();
    for (int64_t i = 0; i < count_; ++i) {
      float* x = x_.data() + i * shape_.dim;
      std::copy_n(embedding + tokens[range_.begin + i] * shape_.dim, shape_.dim, x);
      if (model_.positions.defined()) {
        k.add_rows(model_.positions.const_data_ptr<float>() + positions[i] * shape_.dim, 1,
                   shape_.dim, x);
      }
    }
    for (size_t layer = 0; layer < model_.layers.size(); ++layer) {
      const PackedDecoder::Layer& w = model_.layers[layer];
      norm(w.attention_norm, w.attention_norm_bias);
      product(w.qkv, normed_, qkv_.data());
      if (shape_.query_key_norm) norm_heads(w);
      if (shape_.rotary) {
        k.rotate(qkv_.data(), count_, shape_.qkv_width(), shape_.heads + shape_.kv_heads,
                 shape_.head_size, positions, model_.cosines.const_data_ptr<float>(),
                 model_.sines.const_data_ptr<float>(), 1);
      }
      attend(layer);
      product(w.attention_out, mixed_, x_.data(), true);
      norm(w.mlp_norm, w.mlp_norm_bias);
      product(w.gate_up, normed_, gate_up_.data());
      shape_.activation_kernels().forward(gate_up_.data(), count_, shape_.hidden_dim,
                                          product_.data());
      product(w.down, product_, x_.data(), true);
    }
    norm(model_.norm, model_.norm_bias);
    product(model_.output, normed_, logits + range_.begin * model_.output.weight.size(0));
  }

 private:
  std::vector<float> take(int64_t width) const {
    return std::vector<float>(static_cast<size_t>(count_ * width));
  }

  void product(const PackedLinear& linear, const std::vector<float>& x, float* y,
               bool add = false) {
    linear.product(x.data(), count_, low_.data(), y, add);
  }

  void norm(const Tensor& weight, const Tensor& bias) {
    shape_.norm_kernels().forward(x_.data(), weight.const_data_ptr<float>(),
                                  bias.defined() ? bias.const_data_ptr<float>() : nullptr,
                                  shape_.epsilon, count_, shape_.dim, normed_.data(), nullptr);
  }

  /// Queries and keys of each head, in place.
  void norm_heads(const PackedDecoder::Layer& w) {
    const auto norm = kernels::kernels().rms_norm.forward;
    for (int64_t i = 0; i < count_; ++i) {
      float* queries = qkv_.data() + i * shape_.qkv_width();
      float* keys = queries + shape_.heads * shape_.head_size;
      norm(queries, w.query_norm.const_data_ptr<float>(), nullptr, shape_.epsilon, shape_.heads,
           shape_.head_size, queries, nullptr);
      norm(keys, w.key_norm.const_data_ptr<float>(), nullptr, shape_.epsilon, shape_.kv_heads,
           shape_.head_size, keys, nullptr);
    }
  }

  /// Stores the new keys and values, then mixes with all that came before.
  void attend(size_t layer) {
    const int64_t size = shape_.head_size, capacity = cache_.capacity();
    const int64_t group = shape_.heads / shape_.kv_heads, block = size * capacity;
    for (int64_t i = 0; i < count_; ++i) {
      const int64_t row = range_.begin + i, position = cache_.lengths[static_cast<size_t>(row)];
      const float* queries = qkv_.data() + i * shape_.qkv_width();
      for (int64_t head = 0; head < shape_.kv_heads; ++head) {
        const int64_t offset = (row * shape_.kv_heads + head) * block;
        float* keys = cache_.keys[layer].data_ptr<float>() + offset;
        float* values = cache_.values[layer].data_ptr<float>() + offset;
        const float* key = queries + (shape_.heads + head) * size;
        remember(key, key + shape_.kv_heads * size, position, size, keys, values);
        kernels::kernels().attend(
            queries + head * group * size, group, size, keys, values, position + 1,
            mixed_.data() + i * shape_.mixed_width() + head * group * size, scratch_.data());
      }
    }
  }

  KvCache& cache_;
  const PackedDecoder& model_;
  const DecoderShape& shape_;
  kernels::Member::Range range_;
  int64_t count_;
  std::vector<float> x_, normed_, qkv_, mixed_, gate_up_, product_, low_, scratch_;
};

}  // namespace

Tensor fused_step(KvCache& cache, const Tensor& tokens) {
  const int64_t rows = cache.size();
  const int64_t longest = *std::ranges::max_element(cache.lengths) + 1;
  const Tensor logits = pooled({rows, cache.packed->output.weight.size(0)});
  kernels::run_team(kernels::threads_for(rows), [&](const kernels::Member& member) {
    const auto range = member.part(rows);
    if (range.size() == 0) return;
    Rows(cache, range, longest).run(tokens.const_data_ptr<int64_t>(), logits.data_ptr<float>());
  });
  for (int64_t& length : cache.lengths) ++length;
  return logits;
}

}  // namespace rlhf::model
