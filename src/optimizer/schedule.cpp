#include "rlhf/optimizer/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "rlhf/core/error.hpp"

namespace rlhf {

double Schedule::factor(int64_t step) const {
  require(step >= 0, "step of Schedule::factor", ">= 0", step);
  if (step < warmup_steps) {
    return static_cast<double>(step + 1) / static_cast<double>(warmup_steps + 1);
  }
  if (shape == Shape::constant) return 1.0;
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) /
                                            static_cast<double>(total_steps - warmup_steps));
  const double left =
      shape == Shape::linear ? 1 - progress : (1 + std::cos(std::numbers::pi * progress)) / 2;
  return final_fraction + (1 - final_fraction) * left;
}

void Schedule::validate() const {
  require_known(shape, Shape::cosine, "Schedule::shape", "constant, linear or cosine");
  require(warmup_steps >= 0, "Schedule::warmup_steps", ">= 0", warmup_steps);
  require(final_fraction >= 0 && final_fraction <= 1, "Schedule::final_fraction", "in [0, 1]",
          final_fraction);
  require(shape == Shape::constant || total_steps > warmup_steps, "Schedule::total_steps",
          "> warmup_steps (" + std::to_string(warmup_steps) + ")", total_steps);
}

void Schedule::archive(Archive& archive) const {
  archive.option("shape", shape);
  archive.option("warmup_steps", warmup_steps);
  archive.option("total_steps", total_steps);
  archive.option("final_fraction", final_fraction);
}

}  // namespace rlhf
