/// The numbers that a model's matrix products are made of.
#pragma once

#include <cstdint>

namespace rlhf {

/// Weights, gradients and everything between the products stay float32 in each.
enum class Precision : uint8_t {
  float32,   ///< exact to rounding
  bfloat16,  ///< both operands of every product rounded to 8 bits of mantissa, summed in float32
  int8       ///< sampling alone: weights by a scale an output, activations by a scale a row
};

/// Whether this processor multiplies such numbers faster than float32. Without, they work all the
/// same, by the same rounding, and gain nothing.
bool is_fast(Precision precision);

}  // namespace rlhf
