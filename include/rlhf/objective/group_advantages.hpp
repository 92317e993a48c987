/// Advantages without a critic: each sample against the other samples of its prompt.
#pragma once

#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

/// (score - mean of the group) / (standard deviation of the group + epsilon), the deviation
/// unbiased.
///
/// @param scores   float32 or float64 [B]
/// @param groups   int64 [B]; equal numbers are one group (Completions::ids are), in any order
/// @param epsilon  > 0; keeps a group of equal scores at 0
/// @return         [B], constants: no gradient passes
/// @throws Error   on another shape or type, or a group of one
/// Source: Shao et al. 2024 (GRPO), arXiv 2402.03300, section 4.1.2.
Tensor grpo_advantages(const Tensor& scores, const Tensor& groups, double epsilon = 1e-4);

/// Score minus the mean score of the other samples of its group.
///
/// @return        [B], constants: no gradient passes
/// @throws Error  on another shape or type, or a group of one
/// Source: Ahmadian et al. 2024 (RLOO), arXiv 2402.14740, section 3.2.
Tensor rloo_advantages(const Tensor& scores, const Tensor& groups);

}  // namespace rlhf::objective
