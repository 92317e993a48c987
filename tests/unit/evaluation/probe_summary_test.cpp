#include "rlhf/evaluation/probe_summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/error_of.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::evaluation {
namespace {

using test::doubles;
using test::error_of;
using test::infinity;
using testing::HasSubstr;

constexpr Grade right = Grade::right, wrong = Grade::wrong, abstains = Grade::abstains;

Probed confident(const std::vector<Grade>& grades, const std::vector<double>& confidence) {
  Probed probed;
  probed.grades = grades;
  probed.confidence = doubles(confidence);
  return probed;
}

Tensor marks(const std::vector<int64_t>& values) {
  return int64_tensor(values).to(torch::kBool);
}

TEST(ProbeSummary, JudgesHowWellAMeasureTellsRightFromWrong) {
  const ProbeSummary summary =
      summarise(confident({right, right, wrong, wrong}, {0.9, 0.3, 0.4, 0.1}));
  ASSERT_EQ(summary.measures.size(), 1U);
  const MeasureSummary& its = summary.measures[0];
  EXPECT_EQ(its.name, "confidence");
  EXPECT_EQ(its.auc_right, 0.75);
  EXPECT_NEAR(*its.calibration_error, (0.1 + 0.7 + 0.4 + 0.1) / 4, 1e-15);
  EXPECT_EQ(its.best.counts, (AnswerCounts{.right = 1, .abstained = 3}));
  EXPECT_NEAR(its.best.threshold, 0.65, 1e-15);
  EXPECT_FALSE(its.auc_marked.has_value());
  EXPECT_EQ(summary.greedy, (AnswerCounts{.right = 2, .wrong = 2}));
}

TEST(ProbeSummary, AnAbstentionIsNeitherRightNorWrongAndStaysOne) {
  const MeasureSummary its =
      summarise(confident({right, abstains, wrong, abstains}, {0.9, 0.0, 0.4, 0.0})).measures[0];
  EXPECT_EQ(its.auc_right, 1.0);
  EXPECT_NEAR(*its.calibration_error, (0.1 + 0.4) / 2, 1e-15);
  EXPECT_EQ(its.best.counts, (AnswerCounts{.right = 1, .abstained = 3}));
}

TEST(ProbeSummary, WhatCannotBeToldIsAbsent) {
  const MeasureSummary all_wrong = summarise(confident({wrong, wrong}, {0.9, 0.4})).measures[0];
  EXPECT_FALSE(all_wrong.auc_right.has_value());
  EXPECT_NEAR(*all_wrong.calibration_error, 0.65, 1e-15);
  EXPECT_EQ(all_wrong.best.counts, (AnswerCounts{.abstained = 2}));

  const MeasureSummary none = summarise(confident({abstains, abstains}, {0, 0})).measures[0];
  EXPECT_FALSE(none.auc_right.has_value());
  EXPECT_FALSE(none.calibration_error.has_value());
  EXPECT_EQ(none.best.threshold, infinity);
  EXPECT_EQ(none.best.counts, (AnswerCounts{.abstained = 2}));
}

TEST(ProbeSummary, AMalformedAnswerIsAWrongOne) {
  const ProbeSummary summary = summarise(confident({right, Grade::malformed}, {0.4, 0.9}));
  EXPECT_EQ(summary.measures[0].auc_right, 0.0);
  EXPECT_THAT(summary.table(), HasSubstr("1 malformed, 0 abstain; truthfulness 0.000"));
}

TEST(ProbeSummary, MarksMakeTwoClasses) {
  // Marked: right .9, wrong .5, right .3; not: wrong .4, abstention 0.
  const ProbeSummary summary =
      summarise(confident({right, wrong, right, wrong, abstains}, {0.9, 0.5, 0.3, 0.4, 0.0}),
                {.marked = marks({1, 1, 1, 0, 0}), .mark = "real"});
  const MeasureSummary& its = summary.measures[0];
  EXPECT_EQ(its.auc_right, 0.5);
  EXPECT_EQ(its.auc_right_marked, 0.5);
  EXPECT_NEAR(*its.auc_marked, 5.0 / 6, 1e-15);
}

TEST(ProbeSummary, EntropyCountsAgainstAQuestionAndIsNoProbability) {
  Probed probed = confident({right, wrong}, {0.9, 0.4});
  probed.agreement = doubles({0.5, 0.5});
  probed.semantic_agreement = doubles({1.0, 0.5});
  probed.semantic_entropy = doubles({0.0, std::log(2.0)});
  const ProbeSummary summary = summarise(probed);
  ASSERT_EQ(summary.measures.size(), 4U);
  EXPECT_EQ(summary.measures[1].auc_right, 0.5);
  EXPECT_EQ(summary.measures[2].auc_right, 1.0);
  EXPECT_EQ(summary.measures[3].auc_right, 1.0);
  EXPECT_TRUE(summary.measures[2].calibration_error.has_value());
  EXPECT_FALSE(summary.measures[3].calibration_error.has_value());
  EXPECT_LT(summary.measures[3].best.threshold, 0.0);
}

TEST(ProbeSummary, TheCallersMeasuresStandBesideTheOthers) {
  const ProbeSummary summary = summarise(
      confident({right, wrong}, {0.4, 0.9}),
      {.further = {{.name = "P(True)", .values = torch::tensor({0.8F, 0.1F}), .scale = {}}}});
  ASSERT_EQ(summary.measures.size(), 2U);
  EXPECT_EQ(summary.measures[1].name, "P(True)");
  EXPECT_EQ(summary.measures[1].auc_right, 1.0);
}

TEST(ProbeSummary, PrintsAsATable) {
  Probed probed = confident({right, right, wrong, abstains}, {0.9, 0.75, 0.25, 0.0});
  probed.agreement = doubles({1.0, 0.5, 0.5, 0.0});
  probed.semantic_agreement = doubles({1.0, 1.0, 0.5, 0.0});
  probed.semantic_entropy = doubles({0.0, 0.0, 0.5, 0.7});
  probed.sampled = {.right = 5, .abstained = 1, .wrong = 2};
  EXPECT_EQ(
      summarise(probed, {.marked = marks({1, 1, 0, 0}), .mark = "real"}).table(),
      "4 questions: 2 right, 1 wrong, 0 malformed, 1 abstain; truthfulness 0.250, abstention rate "
      "0.250\n"
      "8 samples: 5 right, 2 wrong, 0 malformed, 1 abstain; truthfulness 0.375, abstention rate "
      "0.125\n"
      "                    AUC right  right, real  AUC real    ECE  best truthfulness  answered\n"
      "confidence              1.000            -     1.000  0.200              0.500       50%\n"
      "agreement               0.750            -     0.875  0.000              0.250       25%\n"
      "semantic agreement      1.000            -     1.000  0.167              0.500       50%\n"
      "-semantic entropy       1.000            -     1.000      -              0.500       50%\n");
}

TEST(ProbeSummary, NamesWhatDoesNotFit) {
  const Probed probed = confident({right, wrong}, {0.4, 0.9});
  const auto error = [&](const ProbeSummaryOptions& options) {
    return error_of([&] { summarise(probed, options); });
  };
  EXPECT_THAT(error({.marked = marks({1})}),
              HasSubstr("ProbeSummaryOptions::marked: expected [2], got [1]"));
  EXPECT_THAT(error({.marked = doubles({1, 0})}),
              HasSubstr("ProbeSummaryOptions::marked: expected Bool, got Double"));
  EXPECT_THAT(error({.marked = marks({1, 1})}),
              HasSubstr("ProbeSummaryOptions::marked: expected both classes, got 2 marked of 2"));
  EXPECT_THAT(error({.marked = marks({1, 0}), .mark = ""}),
              HasSubstr("ProbeSummaryOptions::mark: expected a name, got none"));
  EXPECT_THAT(error({.further = {{.name = "own", .values = doubles({1}), .scale = {}}}}),
              HasSubstr("measure \"own\": expected [2], got [1]"));
  EXPECT_THAT(error({.further = {{.name = "own", .values = doubles({1, NAN}), .scale = {}}}}),
              HasSubstr("measure \"own\", number 1: expected no NaN, got nan"));
  EXPECT_THAT(error({.further = {{.name = "own",
                                  .values = doubles({1, 2}),
                                  .scale = MeasureScale::probability}}}),
              HasSubstr("number 1: expected in [0, 1], got 2"));
  EXPECT_THAT(error({.bin_count = 0}), HasSubstr("expected >= 1, got 0"));
  EXPECT_THAT(error_of([] { summarise(Probed{}); }),
              HasSubstr("Probed: expected at least one question, got 0"));
}

}  // namespace
}  // namespace rlhf::evaluation
