/// How probable a model finds given answers: the confidence that calibration and thresholds judge.
#pragma once

#include <concepts>

#include "rlhf/core/concepts.hpp"
#include "rlhf/core/masked.hpp"
#include "rlhf/data/batches.hpp"

namespace rlhf::evaluation {

struct ConfidenceOptions {
  double temperature = 1.0;  ///< divides the logits
  int64_t token_budget = 0;  ///< tokens a pass; 0: all in one
  void validate() const {
    require(temperature > 0.0, "ConfidenceOptions::temperature", "> 0", temperature);
    require(token_budget >= 0, "ConfidenceOptions::token_budget", ">= 0", token_budget);
  }
};

/// A Policy or a Reference: whatever has evaluate().
template <class M>
concept Evaluates = requires(M& model, const Completions& completions,
                             const EvaluateOptions& options) {
  { model.evaluate(completions, options) } -> std::convertible_to<TokenOutputs>;
};

/// float64 [B] on the CPU: the log-probability of each response, summed over its counted tokens.
/// Without gradient.
/// @throws Error where a response has no counted token
template <Evaluates M>
Tensor response_log_probs(M& model, const Completions& completions,
                          const ConfidenceOptions& options = {}) {
  options.validate();
  completions.validate();
  NoGrad no_grad;
  Tensor sums = torch::empty({completions.size()}, torch::kFloat64);
  for (const Tensor& rows : data::token_budget_batches(completions.lengths(), options.token_budget,
                                                       data::RowOrder::longest_first)) {
    const Completions batch = select(completions, rows);
    const Tensor mask = mask_of(batch);
    require_mask(mask, "responses to take the confidence of");
    const TokenOutputs outputs =
        model.evaluate(batch, EvaluateOptions{.temperature = options.temperature});
    const Tensor log_probs = outputs.log_probs.to(torch::kFloat64);
    sums.index_copy_(0, rows, masked(log_probs, mask).sum(1).cpu());
  }
  return sums;
}

/// float64 [B] on the CPU, in [0, 1]: the probability of each response, end token included where
/// the completions hold it.
template <Evaluates M>
Tensor confidence(M& model, const Completions& completions, const ConfidenceOptions& options = {}) {
  return response_log_probs(model, completions, options).exp();
}

}  // namespace rlhf::evaluation
