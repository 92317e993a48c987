#include "rlhf/evaluation/consistency.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/error_of.hpp"

namespace rlhf::evaluation {
namespace {

using Answers = std::vector<std::optional<std::string>>;

TEST(Consistency, CountsEqualSamplesAndTheEntropyOfTheirClusters) {
  const Consistency c = consistency(Answers{"Peru", "Chile", "Peru", "Peru"}, "Peru");
  EXPECT_EQ(c.agreement, 0.75);
  EXPECT_NEAR(c.entropy, -0.75 * std::log(0.75) - 0.25 * std::log(0.25), 1e-15);
}

TEST(Consistency, TheSameEveryTimeIsExactlyCertain) {
  const Consistency c = consistency(Answers(10, "Peru"), "Peru");
  EXPECT_EQ(c.agreement, 1.0);
  EXPECT_EQ(c.entropy, 0.0);
}

TEST(Consistency, AnAnswerThatNoSampleGivesHasNoAgreement) {
  const Consistency c = consistency(Answers{"Peru", "Chile"}, "Bolivia");
  EXPECT_EQ(c.agreement, 0.0);
  EXPECT_NEAR(c.entropy, std::log(2.0), 1e-15);
}

TEST(Consistency, NoAnswerAgreesWithNothing) {
  const Consistency some = consistency(Answers{"Peru", {}, "Peru", {}}, "Peru");
  EXPECT_EQ(some.agreement, 0.5);  // of all samples
  EXPECT_NEAR(some.entropy, 0.5 * std::log(2.0) + 0.5 * std::log(4.0), 1e-15);

  const Consistency none = consistency(Answers(4, std::nullopt), std::nullopt);
  EXPECT_EQ(none.agreement, 0.0);
  EXPECT_NEAR(none.entropy, std::log(4.0), 1e-15);
}

TEST(Consistency, NeedsASample) {
  EXPECT_THAT(test::error_of([] { consistency(Answers{}, "Peru"); }),
              testing::HasSubstr("samples of consistency: expected >= 1, got 0"));
}

}  // namespace
}  // namespace rlhf::evaluation
