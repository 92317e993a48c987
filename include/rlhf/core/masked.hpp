/// Sums and means under a mask. Masked slots may hold anything, NaN included, and never reach a
/// result or a gradient: they are replaced before any arithmetic.
#pragma once

#include <optional>

#include "rlhf/core/error.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf {

/// @throws Error unless `mask` is bool [B, T] with at least one true in every row.
inline void require_mask(const Tensor& mask, std::string_view name = "mask",
                         std::source_location where = std::source_location::current()) {
  require_dtype(mask, torch::kBool, name, where);
  require(mask.dim() == 2, name, "[B, T]", mask.sizes(), where);
  require(mask.size(0) > 0 && mask.size(1) > 0, name, "at least one token", mask.sizes(), where);
  const Tensor full_rows = mask.any(1);
  if (!full_rows.all().item<bool>()) {
    const int64_t row = full_rows.logical_not().nonzero()[0].item<int64_t>();
    fail(name, "at least one true in every row", "none in row " + std::to_string(row), where);
  }
}

/// `x` where the mask is true, 0 elsewhere; no gradient and no NaN passes a masked slot.
inline Tensor masked(const Tensor& x, const Tensor& mask) {
  return torch::where(mask, x, torch::zeros({}, x.options().requires_grad(false)));
}

/// Scalar: the sum over the true slots.
inline Tensor masked_sum(const Tensor& x, const Tensor& mask) {
  return masked(x, mask).sum();
}

/// Scalar: the sum over the true slots divided by `denominator`, by default their number.
inline Tensor masked_mean(const Tensor& x, const Tensor& mask,
                          std::optional<double> denominator = {}) {
  const double count = denominator ? *denominator : mask.sum().item<double>();
  require(count > 0, "denominator of a masked mean", "> 0", count);
  return masked_sum(x, mask) / count;
}

/// int64 [B]: index of the last true of each row. The one place that knows where a score lands.
inline Tensor last_true(const Tensor& mask) {
  const Tensor slots = torch::arange(mask.size(1), mask.options().dtype(torch::kInt64));
  return slots.where(mask, -1).amax(1);
}

}  // namespace rlhf
