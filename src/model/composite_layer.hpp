/// The decoder's layers in LibTorch's operations, for every type and device; what the fused form is
/// tested against.
#pragma once

#include <array>
#include <memory>
#include <utility>

#include "rlhf/core/tensor.hpp"
#include "rlhf/model/layout.hpp"
#include "rlhf/model/transformer.hpp"

namespace rlhf::model::composite {

/// One layer of a model, and the adapters that stand beside its matrices.
struct Layer {
  const TransformerConfig& config;
  const TransformerBlock& block;
  const Adapters* adapters;  ///< may be null
  int64_t number;

  /// x times the matrix, plus bias and adapters where there are such.
  Tensor product(const Tensor& x, Adapted which, const Tensor& bias) const;
};

/// The norm of the model's kind.
Tensor norm(const TransformerConfig& config, const Tensor& x, const Tensor& weight,
            const Tensor& bias);

/// Queries, keys and values of every token: [N, heads + 2 kv_heads, head_size].
/// @param rotation  cosines and sines of every token, [N, 1, head_size / 2]; undefined where the
///                  model does not rotate
Tensor qkv(const Layer& layer, const Tensor& x, const std::pair<Tensor, Tensor>& rotation);

/// [B, heads, T, size] each, from [B, T, all heads, size].
std::array<Tensor, 3> split_heads(const TransformerConfig& config, const Tensor& padded);

/// Causal attention inside each sequence: qkv() to [N, heads * size].
Tensor causal_attention(const TransformerConfig& config, const Tensor& qkv,
                        const SequenceLayout& layout);

/// What comes behind attention: its output layer and the MLP, each added to what it read.
/// @param x      [N, dim], the layer's input
/// @param mixed  [N, heads * size]
Tensor after_attention(const Layer& layer, const Tensor& x, const Tensor& mixed);

/// A layer from end to end, with all that it reads.
struct WholeLayer {
  TransformerConfig config;
  TransformerBlock block;
  std::shared_ptr<const Adapters> adapters;
  int64_t number;
  std::pair<Tensor, Tensor> rotation;
  std::shared_ptr<const SequenceLayout> layout;
  Tensor rows;  ///< of the result; undefined: all

  Tensor operator()(const Tensor& x) const;
};

/// The same, of which nothing but x is kept: the backward pass runs the layer once more.
Tensor checkpointed(WholeLayer layer, const Tensor& x);

}  // namespace rlhf::model::composite
