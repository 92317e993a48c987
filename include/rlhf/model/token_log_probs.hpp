/// Log-probabilities and entropies straight from hidden states. The logits [M, V] exist only a
/// chunk at a time, in the forward pass and again in the backward pass.
#pragma once

#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

struct LogProbs {
  Tensor log_probs;  ///< [M]
  Tensor entropy;    ///< [M], undefined unless asked for
};

/// log softmax(hidden W^T / temperature) at the targets. Differentiable in `hidden` and `weight`.
/// @param hidden   [M, D]
/// @param weight   [V, D]
/// @param targets  int64 [M], each in [0, V)
/// Memory beyond the results is bounded by a constant (16 MiB of float32), whatever M and V are.
LogProbs token_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                         double temperature, bool with_entropy);

}  // namespace rlhf::model
