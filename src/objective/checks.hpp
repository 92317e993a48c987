/// What every objective asks of its arguments before it computes.
#pragma once

#include <cmath>
#include <optional>
#include <source_location>
#include <string_view>

#include "rlhf/core/error.hpp"
#include "rlhf/core/masked.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

/// Throws unless the tensor is float32 or float64.
inline void require_real(const Tensor& tensor, std::string_view name,
                         std::source_location where = std::source_location::current()) {
  if (!tensor.defined()) fail(name, "a tensor", "no tensor", where);
  const at::ScalarType type = tensor.scalar_type();
  require(type == at::kFloat || type == at::kDouble, name, "float32 or float64",
          c10::toString(type), where);
}

/// Throws unless the tensor has this shape and device.
inline void require_fits(const Tensor& tensor, at::IntArrayRef shape, at::Device device,
                         std::string_view name,
                         std::source_location where = std::source_location::current()) {
  require_shape(tensor, shape, name, where);
  require(tensor.device() == device, name, device.str(), tensor.device().str(), where);
}

/// Throws unless the tensor has the shape, type and device of another.
inline void require_like(const Tensor& tensor, const Tensor& other, std::string_view name,
                         std::source_location where = std::source_location::current()) {
  require_fits(tensor, other.sizes(), other.device(), name, where);
  require_dtype(tensor, other.scalar_type(), name, where);
}

/// Throws unless `mask` is one, and fits a float matrix [B, T].
inline void require_masked(const Tensor& matrix, const Tensor& mask, std::string_view name,
                           std::source_location where = std::source_location::current()) {
  require_mask(mask, "mask", where);
  require_real(matrix, name, where);
  require_fits(matrix, mask.sizes(), mask.device(), name, where);
}

inline void require_positive(double value, std::string_view name,
                             std::source_location where = std::source_location::current()) {
  require(value > 0 && std::isfinite(value), name, "> 0 and finite", value, where);
}

/// The given denominator, else the number of true slots.
inline double count_of(const Tensor& mask, std::optional<double> denominator,
                       std::source_location where = std::source_location::current()) {
  if (!denominator) return static_cast<double>(mask.sum().item<int64_t>());
  require_positive(*denominator, "denominator", where);
  return *denominator;
}

}  // namespace rlhf::objective
