/// Log-probabilities and entropies straight from hidden states. The logits [M, V] exist only a
/// chunk at a time, in the forward pass and again in the backward pass.
#pragma once

#include "rlhf/core/tensor.hpp"
#include "rlhf/model/precision.hpp"

namespace rlhf::model {

class PackedWeights;

struct LogProbs {
  Tensor log_probs;  ///< [M]
  Tensor entropy;    ///< [M], undefined unless asked for
};

/// log softmax(hidden W^T / temperature) at the targets. Differentiable in `hidden` and `weight`.
/// @param hidden   [M, D]
/// @param weight   [V, D]
/// @param targets  int64 [M], each in [0, V)
/// @param precision  of the products, where the kernels make them (float32 on the CPU)
/// @param packs      where a weight that does not learn is kept packed, for bfloat16; may be null
/// Memory beyond the results is bounded by a constant (64 MiB), whatever M and V are.
LogProbs token_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                         double temperature, bool with_entropy,
                         Precision precision = Precision::float32, PackedWeights* packs = nullptr);

}  // namespace rlhf::model
