/// Bad numbers are found before they reach a weight, and named: stage, step, sequence, prompt.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/non_finite.hpp"
#include "rlhf/trainer/learner.hpp"

namespace rlhf::trainer {

/// "sequence 3 (id 17, prompt tokens 4 5 6)"
std::string describe(const Completions& completions, int64_t row);

/// @throws Error naming the first sequence without a counted response token: nothing to learn from
void require_responses(const Completions& completions);

/// @param scores  [B]
/// @throws NonFinite  naming step, sequence, id and prompt tokens of the first that is not finite
void require_finite_scores(const Tensor& scores, const Completions& completions, int64_t step);

/// @param values  [B, T] per-token values; only true slots of `mask` are looked at
/// @throws NonFinite  naming `what`, step, sequence and id of the first row with a non-finite value
void require_finite_tokens(const Tensor& values, const Tensor& mask, const Completions& completions,
                           std::string_view what, int64_t step);

/// A loss of a batch; its per-token (or per-sequence) terms are searched only if it is not finite.
void require_finite_loss(const Tensor& loss, const Tensor& terms, const Tensor& mask,
                         const Completions& completions, std::string_view what, int64_t step);

/// Names step and sequence (none: the whole batch) of a gradient that AdamW `found` to be bad.
[[noreturn]] void fail_gradient(const std::string& found, int64_t step,
                                const Completions& completions, std::optional<int64_t> row);

/// Calls `use` on a learner. Where that meets a bad gradient, learns each row alone to name the one
/// that makes it so.
/// @param learn_alone  (int64_t row): leaves the gradients of that row of `completions`
/// @throws NonFinite   naming the first parameter, step, sequence and id
template <class Use, class Learn>
auto or_blame(Learner& learner, const Completions& completions, int64_t step, Learn&& learn_alone,
              Use&& use) {
  std::string found;
  try {
    return use(learner);
  } catch (const NonFinite& error) {
    found = error.what();
  }
  for (int64_t row = 0; row < completions.size(); ++row) {
    learner.begin();
    try {
      learn_alone(row);
      learner.require_finite_gradients();
    } catch (const NonFinite&) {
      fail_gradient(found, step, completions, row);
    }
  }
  fail_gradient(found, step, completions, std::nullopt);
}

/// Moves the weights. @throws as or_blame(); no weight has moved then
template <class Learn>
Learner::Update update(Learner& learner, const Completions& completions, int64_t step,
                       Learn&& learn_alone) {
  return or_blame(learner, completions, step, learn_alone, [](Learner& l) { return l.update(); });
}

/// @throws as or_blame()
template <class Learn>
void require_finite_gradients(Learner& learner, const Completions& completions, int64_t step,
                              Learn&& learn_alone) {
  or_blame(learner, completions, step, learn_alone,
           [](Learner& l) { l.require_finite_gradients(); });
}

/// What `step` gives, or nothing where it meets a bad number that is to be skipped; `problem` is
/// then what it said.
template <class Step>
auto or_skip(OnNonFinite on_non_finite, std::string& problem, Step&& step)
    -> std::optional<decltype(step())> {
  try {
    return step();
  } catch (const NonFinite& error) {
    if (on_non_finite == OnNonFinite::stop) throw;
    problem = error.what();
    return std::nullopt;
  }
}

/// The exception that a reward has thrown, as an Error that names the step and has it nested; an
/// Error is thrown as it is.
[[noreturn]] void rethrow_as_error(int64_t step);

}  // namespace rlhf::trainer
