/// Learning rates over time, as a factor of the full rate.
#pragma once

#include <cstdint>

#include "rlhf/core/archive.hpp"

namespace rlhf {

/// Warm-up in equal rises, then constant, or down to `final_fraction` at `total_steps` and constant
/// from there.
///
///   factor(k) = (k + 1) / (warmup_steps + 1)                     k < warmup_steps: no step at rate
///   0
///             = final + (1 - final) f(p)                         p = (k - warmup) / (total -
///             warmup)
///               f(p) = 1 | 1 - p | (1 + cos(pi p)) / 2           constant | linear | cosine
struct Schedule {
  enum class Shape : uint8_t { constant, linear, cosine };

  Shape shape = Shape::constant;
  int64_t warmup_steps = 0;
  int64_t total_steps = 0;      ///< warm-up included; unused by constant
  double final_fraction = 0.0;  ///< of the full rate, in [0, 1]; unused by constant

  /// What to multiply the learning rate of the next step with, `step` steps having been made.
  /// @throws Error if step < 0
  double factor(int64_t step) const;
  /// @throws Error naming the field that cannot work
  void validate() const;
  void archive(Archive& archive) const;
};

}  // namespace rlhf
