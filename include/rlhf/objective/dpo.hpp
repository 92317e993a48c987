/// Direct preference optimisation.
#pragma once

#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

/// -log sigmoid(beta ((chosen - ref_chosen) - (rejected - ref_rejected))), pair by pair.
///
/// @param chosen, rejected, ref_chosen, ref_rejected  float32 or float64 [B], the log-probabilities
/// of
///                whole responses: sums over their tokens, of policy and reference
/// @param beta    strength of the KL penalty, > 0
/// @return        [B], differentiable in all four
/// @throws Error  if shapes or types differ, or beta <= 0
/// Source: Rafailov et al. 2023, arXiv 2305.18290, eq. 7.
Tensor dpo_loss(const Tensor& chosen, const Tensor& rejected, const Tensor& ref_chosen,
                const Tensor& ref_rejected, double beta);

}  // namespace rlhf::objective
