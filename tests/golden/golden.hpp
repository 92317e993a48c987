/// The golden values that generate.py wrote, as tensors.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "golden/read_golden.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::test {

/// Numbers or nested lists of them: int64 for whole numbers, bool for truth values, float64 for the
/// rest; null is NaN.
inline Tensor golden_tensor(const json& value) {
  std::vector<int64_t> sizes;
  for (const json* list = &value; list->is_array(); list = &list->front()) {
    sizes.push_back(static_cast<int64_t>(list->size()));
  }
  std::vector<double> numbers;
  bool whole = true, boolean = true;
  const auto visit = [&](const auto& self, const json& node) -> void {
    if (node.is_array()) {
      for (const json& item : node) self(self, item);
      return;
    }
    whole = whole && node.is_number_integer();
    boolean = boolean && node.is_boolean();
    numbers.push_back(node.is_null()      ? std::nan("")
                      : node.is_boolean() ? (node.get<bool>() ? 1.0 : 0.0)
                                          : node.get<double>());
  };
  visit(visit, value);
  return torch::tensor(numbers, torch::kDouble)
      .view(sizes)
      .to(boolean ? torch::kBool
          : whole ? torch::kInt64
                  : torch::kDouble);
}

/// An input that is to be differentiated.
inline Tensor golden_leaf(const json& value) {
  return golden_tensor(value).requires_grad_(true);
}

inline std::optional<double> golden_optional(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

}  // namespace rlhf::test
