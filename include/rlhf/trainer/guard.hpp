/// Bad numbers are found before they reach a weight, and named: stage, step, sequence, prompt.
#pragma once

#include <string_view>

#include "rlhf/core/completions.hpp"

namespace rlhf::trainer {

/// @throws Error naming the first sequence without a counted response token: nothing to learn from
void require_responses(const Completions& completions);

/// @param scores  [B]
/// @throws Error  naming step, sequence, id and prompt tokens of the first that is not finite
void require_finite_scores(const Tensor& scores, const Completions& completions, int64_t step);

/// @param values  [B, T] per-token values; only true slots of `mask` are looked at
/// @throws Error  naming `what`, step, sequence and id of the first row with a non-finite value
void require_finite_tokens(const Tensor& values, const Tensor& mask, const Completions& completions,
                           std::string_view what, int64_t step);

/// A loss of a batch; its per-token (or per-sequence) terms are searched only if it is not finite.
void require_finite_loss(const Tensor& loss, const Tensor& terms, const Tensor& mask,
                         const Completions& completions, std::string_view what, int64_t step);

}  // namespace rlhf::trainer
