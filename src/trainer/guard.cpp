#include "rlhf/trainer/guard.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <exception>

#include "rlhf/core/error.hpp"
#include "rlhf/core/non_finite.hpp"

namespace rlhf::trainer {
namespace {

int64_t first_true(const Tensor& rows) {
  return rows.nonzero()[0].item<int64_t>();
}

}  // namespace

std::string describe(const Completions& completions, int64_t row) {
  auto prompt = completions.prompt(row);
  const bool cut = prompt.size() > 32;
  if (cut) prompt.resize(32);
  return fmt::format("sequence {} (id {}, prompt tokens {}{})", row, completions.id(row),
                     fmt::join(prompt, " "), cut ? " ..." : "");
}

void require_responses(const Completions& completions) {
  const Tensor empty = mask_of(completions).any(1).logical_not();
  if (!empty.any().item<bool>()) return;
  fail(fmt::format("counted response tokens of {}", describe(completions, first_true(empty))),
       ">= 1", "0");
}

void require_finite_scores(const Tensor& scores, const Completions& completions, int64_t step) {
  const Tensor bad = scores.isfinite().logical_not();
  if (!bad.any().item<bool>()) return;
  const int64_t row = first_true(bad);
  fail_non_finite(fmt::format("score at step {} of {}", step, describe(completions, row)),
                  fmt::format("{}", scores[row].item<double>()));
}

void require_finite_tokens(const Tensor& values, const Tensor& mask, const Completions& completions,
                           std::string_view what, int64_t step) {
  const Tensor bad = values.isfinite().logical_not().logical_and(mask);
  if (!bad.any().item<bool>()) return;
  const int64_t row = first_true(bad.any(1));
  const int64_t token = first_true(bad[row]);
  fail_non_finite(fmt::format("{} at step {} of {}, response token {}", what, step,
                              describe(completions, row), token),
                  fmt::format("{}", values[row][token].item<double>()));
}

void require_finite_loss(const Tensor& loss, const Tensor& terms, const Tensor& mask,
                         const Completions& completions, std::string_view what, int64_t step) {
  if (std::isfinite(loss.item<double>())) return;
  require_finite_tokens(terms, mask, completions, what, step);
  fail_non_finite(fmt::format("{} at step {}", what, step), fmt::format("{}", loss.item<double>()));
}

void fail_gradient(const std::string& found, int64_t step, const Completions& completions,
                   std::optional<int64_t> row) {
  // AdamW's message names the parameter; the place in its source is none of the user's.
  const std::string parameter = found.substr(0, found.find(": expected"));
  const std::string whose = row ? describe(completions, *row) : "the whole batch";
  fail_non_finite(fmt::format("{} at step {} of {}", parameter, step, whose), "NaN or infinity");
}

void rethrow_as_error(int64_t step) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    // LibTorch's errors go on with frames of the stack.
    const std::string_view what = error.what();
    std::throw_with_nested(Error(
        fmt::format("the reward threw at step {}: {}", step, what.substr(0, what.find('\n')))));
  }
}

}  // namespace rlhf::trainer
