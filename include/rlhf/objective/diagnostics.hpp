/// Numbers that say how training goes; nothing here is differentiated.
#pragma once

#include "rlhf/core/masked.hpp"

namespace rlhf::objective {

/// Mean negative log-likelihood of the true slots: the loss of supervised fine-tuning.
/// @param log_probs    [B, T]
/// @param denominator  divides the sum; by default the number of true slots
inline Tensor negative_log_likelihood(const Tensor& log_probs, const Tensor& mask,
                                      std::optional<double> denominator = {}) {
  return -masked_mean(log_probs, mask, denominator);
}

/// 1 - var(returns - values) / var(returns) over the true slots; 0 where returns do not vary.
inline double explained_variance(const Tensor& values, const Tensor& returns, const Tensor& mask) {
  const Tensor r = returns.masked_select(mask);
  const double total = r.var(false).item<double>();
  if (total <= 0) return 0;
  return 1 - (r - values.masked_select(mask)).var(false).item<double>() / total;
}

}  // namespace rlhf::objective
