// AdamW's step and sums of squares against plain loops in float64, for every instruction set that
// this processor has.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "../../../src/kernels/kernels.hpp"

namespace rlhf::kernels {
namespace {

using Floats = std::vector<float>;

class AdamWLoops : public testing::TestWithParam<const Kernels*> {
 protected:
  Floats draw(size_t count, float mean = 0) {
    std::normal_distribution<float> normal(mean);
    Floats drawn(count);
    for (float& x : drawn) x = normal(engine_);
    return drawn;
  }
  size_t count() { return std::uniform_int_distribution<size_t>(1, 10'000)(engine_); }

  std::mt19937 engine_{1};
};

TEST_P(AdamWLoops, StepAsTheFormulaSays) {
  const AdamWStep step{.gradient_scale = 0.25F,
                       .beta1 = 0.9F,
                       .beta2 = 0.99F,
                       .decay = 0.999F,
                       .size = 0.02F,
                       .second_scale = 3.0F,
                       .epsilon = 1e-5F};
  for (int round = 0; round < 20; ++round) {
    const size_t size = round < 5 ? static_cast<size_t>(round) + 1 : count();
    const Floats gradient = draw(size), parameter = draw(size), first = draw(size);
    Floats second = draw(size);
    for (float& x : second) x = x * x;
    Floats moved = parameter, new_first = first, new_second = second;
    GetParam()->adamw(step, static_cast<int64_t>(size), gradient.data(), moved.data(),
                      new_first.data(), new_second.data());
    for (size_t i = 0; i < size; ++i) {
      const auto wide = [&](const Floats& list) { return static_cast<double>(list[i]); };
      const double g = 0.25 * wide(gradient);
      const double m = double{step.beta1} * wide(first) + (1 - double{step.beta1}) * g;
      const double v = double{step.beta2} * wide(second) + (1 - double{step.beta2}) * g * g;
      const double expected = double{step.decay} * wide(parameter) -
                              double{step.size} * m / (3 * std::sqrt(v) + double{step.epsilon});
      EXPECT_NEAR(wide(new_first), m, 3e-7 * (1 + std::abs(m)));
      EXPECT_NEAR(wide(new_second), v, 3e-7 * (1 + v));
      EXPECT_NEAR(wide(moved), expected, 1e-6 * (1 + std::abs(expected)));
    }
  }
}

TEST_P(AdamWLoops, SquaresAddUp) {
  for (int round = 0; round < 20; ++round) {
    const Floats x = draw(round < 5 ? static_cast<size_t>(round) : count(), 3);
    double expected = 0;
    for (const float v : x) expected += static_cast<double>(v) * static_cast<double>(v);
    EXPECT_NEAR(GetParam()->sum_of_squares(x.data(), std::ssize(x)), expected, 1e-6 * expected);
  }
  const Floats large{1e20F, 1.0F}, none{std::nanf("")};
  EXPECT_TRUE(std::isinf(GetParam()->sum_of_squares(large.data(), 2)));
  EXPECT_TRUE(std::isnan(GetParam()->sum_of_squares(none.data(), 1)));
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, AdamWLoops, testing::ValuesIn(all_kernels()),
                         [](const auto& set) { return "Set" + std::to_string(set.index); });

}  // namespace
}  // namespace rlhf::kernels
