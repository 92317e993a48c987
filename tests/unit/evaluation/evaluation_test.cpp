#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rlhf/core/error.hpp"
#include "rlhf/evaluation/answer_counts.hpp"
#include "rlhf/evaluation/calibration.hpp"
#include "rlhf/evaluation/confidence.hpp"
#include "rlhf/evaluation/pair_accuracy.hpp"
#include "rlhf/evaluation/risk_coverage.hpp"
#include "support/error_of.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::evaluation {
namespace {

using test::doubles;
using test::error_of;
using test::infinity;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

Tensor flags(const std::vector<int64_t>& values) {
  return int64_tensor(values).to(torch::kBool);
}

// Groups of 3 and 2 responses to one-token prompts.
Rankings five_responses() {
  return {.completions = completions_from({{1}, {1}, {1}, {2}, {2}}, {{3}, {4}, {5}, {6}, {7}}),
          .group_sizes = int64_tensor({3, 2})};
}

TEST(PairAccuracy, CountsPairsWithinGroupsAndTiesAsHalf) {
  const auto accuracy = pair_accuracy(doubles({3, 1, 1, -5, 9}), five_responses());
  EXPECT_EQ(accuracy.all.pairs, 4);
  EXPECT_EQ(accuracy.all.right, 2.5);  // 3 > 1, 3 > 1, 1 = 1; -5 > 9 is wrong
  EXPECT_EQ(accuracy.all.accuracy(), 0.625);
  EXPECT_TRUE(accuracy.kinds.empty());
}

TEST(PairAccuracy, TellsKindsApartByTheLabels) {
  const std::vector<std::string> labels{"right", "idk", "wrong", "right", "wrong"};
  const auto accuracy = pair_accuracy(doubles({3, 1, 1, -5, 9}), five_responses(), labels);
  EXPECT_THAT(accuracy.kinds, ElementsAre(Key("idk>wrong"), Key("right>idk"), Key("right>wrong")));
  EXPECT_EQ(accuracy.kinds.at("idk>wrong").accuracy(), 0.5);
  EXPECT_EQ(accuracy.kinds.at("right>idk").accuracy(), 1.0);
  EXPECT_EQ(accuracy.kinds.at("right>wrong").accuracy(), 0.5);
  EXPECT_EQ(accuracy.kinds.at("right>wrong").pairs, 2);
}

TEST(PairAccuracy, EqualRanksMakeNoPair) {
  Rankings rankings = five_responses();
  rankings.ranks = int64_tensor({0, 0, 1, 4, 4});
  const auto accuracy = pair_accuracy(doubles({1, 3, 2, 0, 0}), rankings);
  EXPECT_EQ(accuracy.all.pairs, 2);
  EXPECT_EQ(accuracy.all.right, 1);
}

TEST(PairAccuracy, NamesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] {
                pair_accuracy(doubles({1, 2}), five_responses());
              }),
              HasSubstr("scores of pair_accuracy: expected 5, got 2"));
  EXPECT_THAT(error_of([] {
                pair_accuracy(doubles({1, 2, NAN, 4, 5}), five_responses());
              }),
              HasSubstr("scores of pair_accuracy, number 2: expected no NaN, got nan"));
  EXPECT_THAT(
      error_of([] {
        pair_accuracy(doubles({1, 2, 3, 4, 5}), five_responses(), std::vector<std::string>{"a"});
      }),
      HasSubstr("labels of pair_accuracy: expected 5, got 1"));
}

TEST(Calibration, WeighsTheGapOfEachBinByItsCount) {
  // Bin (0, 0.5]: confidences 0.2 and 0.5, one right: |0.5 - 0.35|; bin (0.5, 1]: 0.75, right.
  const Calibration c = calibration(doubles({0.2, 0.5, 0.75}), flags({0, 1, 1}), 2);
  EXPECT_NEAR(c.error, (2 * 0.15 + 0.25) / 3, 1e-15);
  ASSERT_EQ(c.bins.size(), 2U);
  EXPECT_EQ(c.bins[0].count, 2);
  EXPECT_NEAR(c.bins[0].confidence, 0.35, 1e-15);
  EXPECT_EQ(c.bins[0].accuracy, 0.5);
  EXPECT_EQ(c.bins[1].count, 1);
}

TEST(Calibration, TheEndsHaveABin) {
  const Calibration c = calibration(doubles({0.0, 1.0}), flags({0, 1}), 10);
  EXPECT_EQ(c.error, 0.0);
  EXPECT_EQ(c.bins.front().count, 1);
  EXPECT_EQ(c.bins.back().count, 1);
}

TEST(Calibration, NamesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] {
                calibration(doubles({0.5, 1.5}), flags({0, 1}));
              }),
              HasSubstr("confidence of calibration, number 1: expected in [0, 1], got 1.5"));
  EXPECT_THAT(error_of([] {
                calibration(doubles({0.5}), flags({0, 1}));
              }),
              HasSubstr("right of calibration: expected [1], got [2]"));
  EXPECT_THAT(error_of([] { calibration(doubles({}), flags({})); }),
              HasSubstr("confidence of calibration: expected [n], n >= 1, got [0]"));
  EXPECT_THAT(error_of([] { calibration(doubles({0.5}), doubles({1})); }),
              HasSubstr("right of calibration: expected Bool, got Double"));
  EXPECT_THAT(error_of([] { calibration(doubles({0.5}), flags({1}), 0); }),
              HasSubstr("bin_count of calibration: expected >= 1, got 0"));
}

TEST(Auc, IsTheShareOfPairsInOrder) {
  EXPECT_EQ(auc(doubles({0.1, 0.4, 0.35, 0.8}), flags({0, 0, 1, 1})), 0.75);
  EXPECT_EQ(auc(doubles({-infinity, 0, infinity}), flags({0, 0, 1})), 1.0);
  EXPECT_EQ(auc(doubles({2, 1}), flags({0, 1})), 0.0);
}

TEST(Auc, TiesCountOneHalf) {
  EXPECT_EQ(auc(doubles({1, 1, 1}), flags({0, 1, 0})), 0.5);
  EXPECT_EQ(auc(doubles({1, 1, 2}), flags({0, 1, 1})), 0.75);
}

TEST(Auc, OfOneClassIsAnError) {
  EXPECT_THAT(error_of([] {
                auc(doubles({1, 2}), flags({1, 1}));
              }),
              HasSubstr("expected both classes, got 2 positive and 0 negative"));
}

// By falling confidence: 0.9 right, then 0.6 right and 0.6 wrong together, then 0.2 wrong.
const Tensor four_confidences = doubles({0.6, 0.9, 0.2, 0.6});
const Tensor four_right = flags({1, 1, 0, 0});

TEST(RiskCoverage, AnswersEqualConfidencesTogether) {
  const RiskCoverage curve = risk_coverage(four_confidences, four_right);
  ASSERT_EQ(curve.points.size(), 4U);
  EXPECT_EQ(curve.points[0].threshold, infinity);
  EXPECT_EQ(curve.points[0].coverage, 0.0);
  EXPECT_EQ(curve.points[1].coverage, 0.25);
  EXPECT_EQ(curve.points[1].risk, 0.0);
  EXPECT_EQ(curve.points[1].truthfulness, 0.25);
  EXPECT_EQ(curve.points[2].threshold, 0.6);
  EXPECT_EQ(curve.points[2].coverage, 0.75);
  EXPECT_EQ(curve.points[2].risk, 1.0 / 3);
  EXPECT_EQ(curve.points[3].coverage, 1.0);
  EXPECT_EQ(curve.points[3].risk, 0.5);
  EXPECT_EQ(curve.points[3].truthfulness, 0.0);
  EXPECT_DOUBLE_EQ(curve.area, (0.0 + 1.0 / 3 + 1.0 / 3 + 0.5) / 4);
}

TEST(BestThreshold, LiesHalfWayToTheNextConfidenceAndAnswersLeast) {
  // 0.25 both where only 0.9 is answered and where 0.6 is too.
  const Threshold best = best_threshold(four_confidences, four_right);
  EXPECT_DOUBLE_EQ(best.threshold, 0.75);
  EXPECT_EQ(best.counts, (AnswerCounts{.right = 1, .abstained = 3}));
}

TEST(BestThreshold, AnswersNothingOrEverythingWhereThatIsBest) {
  EXPECT_EQ(best_threshold(doubles({0.1, 0.9}), flags({0, 0})).threshold, infinity);
  EXPECT_EQ(best_threshold(doubles({0.1, 0.9}), flags({1, 1})).threshold, -infinity);
}

TEST(BestThreshold, HoldsBetweenNeighbouringNumbers) {
  const double low = 0.5, high = std::nextafter(low, 1.0);
  const Threshold best = best_threshold(doubles({low, high}), flags({0, 1}));
  EXPECT_EQ(best.counts, (AnswerCounts{.right = 1, .abstained = 1}));
  EXPECT_EQ(best_threshold(doubles({-infinity, 0.0}), flags({0, 1})).counts.right, 1);
}

TEST(AnswersAt, AbstainsBelowTheThresholdOnly) {
  const AnswerCounts counts = answers_at(0.6, four_confidences, four_right);
  EXPECT_EQ(counts, (AnswerCounts{.right = 2, .abstained = 1, .wrong = 1}));
  EXPECT_EQ(counts.truthfulness(), 0.25);
  EXPECT_EQ(counts.hallucination(), 0.25);
}

TEST(RiskCoverage, NamesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] { risk_coverage(doubles({infinity}), flags({1})); }),
              HasSubstr("confidence of risk_coverage: expected below infinity"));
  EXPECT_THAT(error_of([] { answers_at(NAN, four_confidences, four_right); }),
              HasSubstr("threshold: expected a number, got nan"));
}

TEST(AnswerCounts, CountGradesAndAddUp) {
  const std::vector<Grade> grades{Grade::right, Grade::right, Grade::abstains, Grade::wrong,
                                  Grade::malformed};
  AnswerCounts counts = count(grades);
  EXPECT_EQ(counts, (AnswerCounts{.right = 2, .abstained = 1, .wrong = 1, .malformed = 1}));
  EXPECT_EQ(counts.truthfulness(), 0.2);
  EXPECT_EQ(counts.right_rate(), 0.4);
  counts += counts;
  EXPECT_EQ(counts.total(), 10);
  EXPECT_EQ(AnswerCounts{}.truthfulness(), 0.0);
}

TEST(WilsonInterval, AgreesWithPublishedNumbers) {
  // Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20 at 95 %.
  const Interval many = wilson_interval(81, 263);
  EXPECT_NEAR(many.low, 0.2553, 5e-5);
  EXPECT_NEAR(many.high, 0.3662, 5e-5);
  const Interval none = wilson_interval(0, 20);
  EXPECT_EQ(none.low, 0.0);
  EXPECT_NEAR(none.high, 0.1611, 5e-5);
  EXPECT_EQ(wilson_interval(0, 0).high, 1.0);
  EXPECT_THAT(error_of([] { wilson_interval(3, 2); }),
              HasSubstr("successes: expected >= 0 and <= 2, got 3"));
}

/// Gives token t the log-probability -t / 10, whatever comes before; padding is NaN.
struct TenthsPolicy {
  mutable int passes = 0;
  TokenOutputs evaluate(const Completions& c, const EvaluateOptions& options) const {
    ++passes;
    const Tensor flat = -c.tokens.index_select(0, response_positions(c)).to(torch::kFloat32) /
                        (10.0 * options.temperature);
    const Tensor real = pad_responses(torch::ones_like(flat), c) > 0;
    return {.log_probs = pad_responses(flat, c).masked_fill(real.logical_not(), NAN)};
  }
};

TEST(Confidence, IsTheProbabilityOfTheWholeResponse) {
  const Completions answers = completions_from({{1}, {1, 2}, {3}}, {{1, 2, 3}, {4}, {5, 6}});
  const TenthsPolicy policy;
  EXPECT_TRUE(confidence(policy, answers).allclose(doubles({-0.6, -0.4, -1.1}).exp(), 1e-6));
  EXPECT_TRUE(response_log_probs(policy, answers, {.temperature = 2})
                  .allclose(doubles({-0.3, -0.2, -0.55}), 1e-6));
}

TEST(Confidence, DoesNotDependOnTheTokenBudget) {
  const Completions answers = completions_from({{1}, {1, 2}, {3}}, {{1, 2, 3}, {4}, {5, 6}});
  const TenthsPolicy policy;
  EXPECT_TRUE(confidence(policy, answers, {.token_budget = 1}).equal(confidence(policy, answers)));
  EXPECT_EQ(policy.passes, 4);
}

TEST(Confidence, LeavesUncountedTokensOut) {
  Completions answers = completions_from({{1}, {1}}, {{1, 2}, {3}});
  answers.counted = flags({1, 0, 1});
  const TenthsPolicy policy;
  EXPECT_TRUE(response_log_probs(policy, answers).allclose(doubles({-0.1, -0.3}), 1e-6));
}

TEST(Confidence, NamesWhatCannotWork) {
  const TenthsPolicy policy;
  EXPECT_THAT(error_of([&] {
                confidence(policy, completions_from({{1}, {1}}, {{2}, {}}));
              }),
              HasSubstr("at least one true in every row, got none in row 1"));
  EXPECT_THAT(
      error_of([&] { confidence(policy, completions_from({{1}}, {{2}}), {.temperature = 0}); }),
      HasSubstr("ConfidenceOptions::temperature: expected > 0, got 0"));
}

}  // namespace
}  // namespace rlhf::evaluation
