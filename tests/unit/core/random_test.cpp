#include "rlhf/core/random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace rlhf {
namespace {

TEST(Generator, StateRestoresTheSequence) {
  Generator a(7);
  for (int i = 0; i < 5; ++i) a.bits();
  a.advance();
  Generator b(a.state());
  EXPECT_EQ(a.bits(), b.bits());
  EXPECT_EQ(a.stream(3, 1).uniform(), b.stream(3, 1).uniform());
}

TEST(Generator, StreamsDifferInEveryCoordinate) {
  std::set<double> seen;
  for (uint64_t seed : {1, 2}) {
    Generator g(seed);
    for (int step = 0; step < 2; ++step, g.advance()) {
      for (int64_t id : {0, 1}) {
        for (int64_t sample : {0, 1}) {
          RandomStream s = g.stream(id, sample);
          seen.insert(s.uniform());
          seen.insert(s.uniform());
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), 32U);
}

TEST(Generator, UniformHasTheMomentsOfTheUniform) {
  Generator g(1);
  double sum = 0, squares = 0;
  constexpr int count = 100000;
  for (int i = 0; i < count; ++i) {
    const double u = g.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / count, 0.5, 5 * 0.2887 / std::sqrt(count));
  EXPECT_NEAR(squares / count, 1.0 / 3, 5 * 0.2981 / std::sqrt(count));
}

TEST(Generator, PermutationHoldsEveryIndexOnce) {
  Generator g(1);
  const Tensor order = g.permutation(1000);
  EXPECT_TRUE(std::get<0>(order.sort()).equal(torch::arange(1000)));
  EXPECT_FALSE(order.equal(torch::arange(1000)));
}

}  // namespace
}  // namespace rlhf
