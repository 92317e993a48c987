/// Tensors of float64 from lists, and matchers: EXPECT_THAT(actual, TensorNear(expected, 1e-12)).
#pragma once

#include <gmock/gmock.h>

#include <limits>
#include <sstream>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::test {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

inline Tensor doubles(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble);
}

/// Same shape and type, every element within `tolerance` of the expected one, relative to it where
/// it is larger than 1. NaN is never near.
MATCHER_P2(TensorNear, expected, tolerance, "is near the expected tensor") {
  const Tensor& want = expected;
  if (!arg.defined() || arg.sizes() != want.sizes() || arg.scalar_type() != want.scalar_type()) {
    std::ostringstream text;
    if (arg.defined()) text << arg.scalar_type() << " " << arg.sizes();
    *result_listener << (arg.defined() ? "which is " + text.str() : "which is undefined");
    return false;
  }
  const Tensor error = (arg.detach() - want.detach()).abs() / want.detach().abs().clamp_min(1);
  if ((error <= tolerance).all().template item<bool>()) return true;
  *result_listener << "which is off by " << error.max().template item<double>();
  return false;
}

/// Same shape, type and bits of every element.
MATCHER_P(TensorEquals, expected, "equals the expected tensor") {
  const Tensor& want = expected;
  if (arg.defined() && arg.scalar_type() == want.scalar_type() && arg.equal(want)) return true;
  std::ostringstream text;
  if (arg.defined()) text << arg;
  *result_listener << "which is " << text.str();
  return false;
}

}  // namespace rlhf::test
