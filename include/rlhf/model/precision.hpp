/// The numbers that a model's matrix products are made of.
#pragma once

#include <cstdint>

namespace rlhf {

/// Weights, gradients and everything between the products stay float32 in each.
enum class Precision : uint8_t {
  float32,   ///< exact to rounding
  bfloat16,  ///< both operands of every product rounded to 8 bits of mantissa, summed in float32
  /// Sampling alone: weights by a scale an output, activations by a scale a row. Where one
  /// activation of a row is far greater than the others these are lost: SmolLM2 then speaks of
  /// something else. Watch PPO's metric sampler_gap.
  int8
};

/// Whether this processor multiplies such numbers faster than float32. Without, they work all the
/// same, by the same rounding, and gain nothing.
bool is_fast(Precision precision);

}  // namespace rlhf
