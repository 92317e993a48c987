/// Log-probability of given tokens, and entropy, from logits.
#pragma once

#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

/// Log-probability of each target under softmax(logits / temperature).
///
/// One autograd node: forward and backward each make one [..., V] tensor (one more for the division
/// when the temperature is not 1). Logits of -inf (a forbidden token) are allowed.
///
/// @param logits       float32 or float64 [..., V]
/// @param targets      int64 [...], each in [0, V)
/// @param temperature  > 0
/// @return             [...], differentiable once in the logits
/// @throws Error       on another shape or type, a target out of range, a temperature <= 0
Tensor token_log_probs(const Tensor& logits, const Tensor& targets, double temperature = 1.0);

/// Entropy in nats of softmax(logits / temperature); a token of probability 0 adds 0.
///
/// @param logits  float32 or float64 [..., V]
/// @return        [...], differentiable once in the logits
/// @throws Error  on another type, or a temperature <= 0
Tensor entropy(const Tensor& logits, double temperature = 1.0);

}  // namespace rlhf::objective
