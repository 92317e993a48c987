/// The two passes of the fused decoder and what they share.
#pragma once

#include <algorithm>
#include <atomic>

#include "../kernels/kernels.hpp"
#include "../kernels/team.hpp"
#include "fused_adapters.hpp"
#include "fused_decoder.hpp"
#include "fused_weights.hpp"
#include "pool.hpp"
#include "rlhf/model/kv_cache.hpp"

namespace rlhf::model::fused {

using kernels::Member;

inline float* data(const Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

/// A row of a matrix, an element of a vector.
inline float* at(const Tensor& tensor, int64_t row) {
  return data(tensor) + row * tensor.stride(0);
}

/// The adapters of one of a layer's products.
inline LowRank low_rank(const DecoderBatch& batch, const Weights& w, int64_t layer, Adapted which) {
  static const std::vector<AdapterPart> none;
  const auto slot = static_cast<size_t>(qkv_a) + 2 * static_cast<size_t>(which);
  const bool there = batch.adapters != nullptr;
  return {.number = batch.number,
          .parts = there ? batch.adapters->parts(batch.first_layer + layer, which) : none,
          .a = w[static_cast<Slot>(slot)],
          .b = w[static_cast<Slot>(slot + 1)],
          .scale = there ? static_cast<float>(batch.adapters->options.scale()) : 0};
}

/// Rows that go from one product to the next together: few enough for a processor's own cache to
/// hold what lies between, and a multiple of what products take at a time.
constexpr int64_t block_rows = 96;

template <class Work>
void for_each_block(Member::Range range, Work&& work) {
  for (int64_t begin = range.begin; begin < range.end; begin += block_rows) {
    work(Member::Range{begin, std::min(range.end, begin + block_rows)});
  }
}

/// Columns that the widest of the adapters' inner results takes; 0 where there are none.
int64_t low_width(const DecoderBatch& batch);

/// What a layer leaves for the backward pass.
struct Activations {
  Tensor attention_scale;  ///< [N], of the norm of the layer's input
  Tensor qkv;              ///< [N, qkv_width], rotated
  Tensor raw_heads;   ///< [N, (heads + kv_heads) * head_size], before their norm if they have one
  Tensor head_scale;  ///< [N, heads + kv_heads], of that norm
  Tensor mixed;       ///< [N, mixed_width], of attention
  Tensor log_sum;     ///< [N, heads]
  Tensor middle;      ///< [M, dim], between attention and MLP; M = P in the last layer, else N
  Tensor mlp_scale;   ///< [M]
  Tensor gate_up;     ///< [M, gate_up_width]
  Tensor out;         ///< [M, dim]

  Activations(const DecoderShape& shape, int64_t tokens, int64_t rows)
      : attention_scale(pooled({tokens})),
        qkv(pooled({tokens, shape.qkv_width()})),
        raw_heads(shape.query_key_norm
                      ? pooled({tokens, (shape.heads + shape.kv_heads) * shape.head_size})
                      : Tensor()),
        head_scale(shape.query_key_norm ? pooled({tokens, shape.heads + shape.kv_heads})
                                        : Tensor()),
        mixed(pooled({tokens, shape.mixed_width()})),
        log_sum(pooled({tokens, shape.heads})),
        middle(pooled({rows, shape.dim})),
        mlp_scale(pooled({rows})),
        gate_up(pooled({rows, shape.gate_up_width()})),
        out(pooled({rows, shape.dim})) {}
  Activations(const std::vector<Tensor>& saved, size_t at)
      : attention_scale(saved[at]),
        qkv(saved[at + 1]),
        raw_heads(saved[at + 2]),
        head_scale(saved[at + 3]),
        mixed(saved[at + 4]),
        log_sum(saved[at + 5]),
        middle(saved[at + 6]),
        mlp_scale(saved[at + 7]),
        gate_up(saved[at + 8]),
        out(saved[at + 9]) {}
  static constexpr size_t count = 10;
  void append_to(std::vector<Tensor>& list) const {
    for (const Tensor* tensor : {&attention_scale, &qkv, &raw_heads, &head_scale, &mixed, &log_sum,
                                 &middle, &mlp_scale, &gate_up, &out}) {
      list.push_back(*tensor);
    }
  }
};

/// A set for each layer from `first` on; layers below, which no gradient passes, share one. The
/// last has its own always: its rows are others than those it reads. With batch.checkpoints all
/// others share one, and have but their results for themselves.
std::vector<Activations> make_activations(const DecoderBatch& batch, int64_t first);

/// One sequence and the heads that share one head of keys and values: what a thread takes at a
/// time. Whoever is free takes the next.
class AttentionTasks {
 public:
  explicit AttentionTasks(const DecoderBatch& batch)
      : batch_(batch), next_(static_cast<size_t>(batch.shape.layers)) {
    int64_t begin = 0;
    for (int64_t length : batch.layout.lengths) {
      starts_.push_back(begin);
      begin += length;
    }
  }

  /// Calls work(heads of the task, first token, first query head) for the tasks this thread gets.
  template <class Work>
  void run(int64_t layer, const float* qkv, Work&& work) {
    const DecoderShape& shape = batch_.shape;
    const int64_t group = shape.heads / shape.kv_heads;
    const int64_t count = batch_.layout.size() * shape.kv_heads;
    while (true) {
      const int64_t task = next_[static_cast<size_t>(layer)].fetch_add(1);
      if (task >= count) return;
      const auto row = static_cast<size_t>(task / shape.kv_heads);
      const int64_t head = task % shape.kv_heads;
      if (batch_.layout.lengths[row] == 0) continue;
      const float* first = qkv + starts_[row] * shape.qkv_width();
      work(kernels::AttentionHeads{.queries = first + head * group * shape.head_size,
                                   .keys = first + (shape.heads + head) * shape.head_size,
                                   .values = first + (shape.heads + shape.kv_heads + head) *
                                                         shape.head_size,
                                   .row_stride = shape.qkv_width(),
                                   .tokens = batch_.layout.lengths[row],
                                   .heads = group,
                                   .head_size = shape.head_size,
                                   .next = head + 1 < shape.kv_heads ? 1 : 0},
           starts_[row], head * group);
    }
  }

  /// Floats of scratch for each of these threads.
  Tensor scratch(int threads) const {
    return pooled({threads, kernels::kernels().attention_scratch(batch_.layout.longest,
                                                                 batch_.shape.head_size)});
  }

 private:
  const DecoderBatch& batch_;
  std::vector<int64_t> starts_;
  std::vector<std::atomic<int64_t>> next_;  // a layer
};

/// Copies the named rows of `from` to this thread's part of `to`.
inline void gather(const float* from, const int64_t* rows, Member::Range range, int64_t width,
                   float* to) {
  for (int64_t i = range.begin; i < range.end; ++i) {
    std::copy_n(from + rows[i] * width, width, to + i * width);
  }
}

/// The layers on their way up, by a team.
class ForwardPass {
 public:
  /// @param learns  a backward pass follows, and needs all of the activations
  /// @param cache   takes every layer's keys and values, unless null
  ForwardPass(at::TensorList weights, const DecoderBatch& batch, bool learns, KvCache* cache);

  enum class Until : uint8_t {
    inside,  ///< all that the backward pass reads, but not the layer's result
    result
  };
  /// One thread's part of a layer, after the others have left the one before; its input is [N,
  /// dim].
  void layer(const Member& member, int64_t layer, const float* in, const Activations& a,
             Until until);

 private:
  /// One of a layer's products, and what adapters add to it.
  void product(const Member& member, int64_t layer, Adapted which, Slot bias, const float* x,
               Member::Range rows, const Tensor& y, const float* added = nullptr);
  void before_attention(const Member& member, int64_t layer, const float* in, Member::Range rows,
                        const Activations& a);
  /// `rows` of the layer's result, made from as many of its input and of what attention mixed.
  void after_attention(const Member& member, int64_t layer, const float* in, const float* mixed,
                       Member::Range rows, const Activations& a, Until until);

  at::TensorList weights_;
  const DecoderBatch& batch_;
  const DecoderShape& shape_;
  bool learns_;
  KvCache* cache_;
  LayerPacks packs_;
  Tensor normed_, product_, low_;  // a block for each thread
  Tensor x_rows_, mixed_rows_;     // of the wanted rows
  AttentionTasks tasks_;
  Tensor scratch_;
};

/// Hidden states after the final norm, [P, dim].
/// @param layers       of make_activations(), filled
/// @param final_scale  [P], filled
/// @param learns, cache  as ForwardPass has them
Tensor forward_pass(const Tensor& x, at::TensorList weights, const DecoderBatch& batch,
                    const std::vector<Activations>& layers, const Tensor& final_scale, bool learns,
                    KvCache* cache = nullptr);

/// What the backward pass must know beside tensors.
struct Plan : torch::CustomClassHolder {
  std::shared_ptr<const DecoderBatch> batch;
  std::vector<bool> needed;  ///< gradients of the weights
  int64_t first_layer = 0;   ///< the lowest that any gradient passes
  bool input_needed = false;
};

/// Gradients: of x first, then in the order of the weights; undefined where not needed.
std::vector<Tensor> backward_pass(const Plan& plan, const Tensor& x, at::TensorList weights,
                                  const std::vector<Activations>& layers, const Tensor& final_scale,
                                  const Tensor& gradient);

}  // namespace rlhf::model::fused
