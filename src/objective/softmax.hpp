/// Log-softmax under a temperature, for the objectives that read logits.
#pragma once

#include <limits>

#include "checks.hpp"

namespace rlhf::objective {

inline void require_logits(const Tensor& logits, double temperature, std::string_view name,
                           std::source_location where = std::source_location::current()) {
  require_real(logits, name, where);
  require(logits.dim() >= 1 && logits.size(-1) >= 1, name, "[..., V] with V >= 1", logits.sizes(),
          where);
  require_positive(temperature, "temperature", where);
}

/// A temperature of 1 costs no copy.
inline Tensor log_softmax(const Tensor& logits, double temperature) {
  return (temperature == 1.0 ? logits : logits / temperature).log_softmax(-1);
}

/// The same with the lowest finite number for -inf, so that p log p is 0 where p is.
inline Tensor finite_log_softmax(const Tensor& logits, double temperature) {
  const double lowest = logits.scalar_type() == at::kFloat ? std::numeric_limits<float>::lowest()
                                                           : std::numeric_limits<double>::lowest();
  return log_softmax(logits, temperature).clamp_min_(lowest);
}

}  // namespace rlhf::objective
