// Against plain loops over all pairs and all thresholds, on random numbers with many ties.
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/random.hpp"
#include "rlhf/evaluation/calibration.hpp"
#include "rlhf/evaluation/pair_accuracy.hpp"
#include "rlhf/evaluation/risk_coverage.hpp"

namespace rlhf::evaluation {
namespace {

/// n confidences on a coarse grid and whether each is right.
struct Judged {
  std::vector<double> confidence;
  std::vector<bool> right;

  Judged(Generator& generator, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      confidence.push_back(static_cast<double>(generator.below(8)) / 7.0);
      right.push_back(generator.uniform() < 0.2 + 0.6 * confidence.back());
    }
    right[0] = true;
    right[1] = false;
  }
  size_t size() const { return right.size(); }
  Tensor confidences() const { return torch::tensor(confidence, torch::kFloat64); }
  Tensor rights() const { return int64_tensor({right.begin(), right.end()}).to(torch::kBool); }
};

TEST(Auc, EqualsTheLoopOverAllPairs) {
  Generator generator(1);
  for (int trial = 0; trial < 200; ++trial) {
    const Judged judged(generator, 2 + generator.below(40));
    double wins = 0, pairs = 0;
    for (size_t i = 0; i < judged.size(); ++i) {
      for (size_t k = 0; k < judged.size(); ++k) {
        if (!judged.right[i] || judged.right[k]) continue;
        pairs += 1;
        wins += judged.confidence[i] > judged.confidence[k]    ? 1.0
                : judged.confidence[i] == judged.confidence[k] ? 0.5
                                                               : 0.0;
      }
    }
    ASSERT_EQ(auc(judged.confidences(), judged.rights()), wins / pairs)
        << "sums of halves are exact";
  }
}

TEST(BestThreshold, IsBeatenByNoOtherAndAgreesWithItsCounts) {
  Generator generator(2);
  for (int trial = 0; trial < 200; ++trial) {
    const Judged judged(generator, 2 + generator.below(40));
    const Threshold best = best_threshold(judged.confidences(), judged.rights());
    double highest = -1;
    for (int step = -1; step <= 16; ++step) {
      const double threshold = step / 14.0;
      double sum = 0;
      for (size_t i = 0; i < judged.size(); ++i) {
        if (judged.confidence[i] >= threshold) sum += judged.right[i] ? 1 : -1;
      }
      highest = std::max(highest, sum / static_cast<double>(judged.size()));
    }
    ASSERT_EQ(best.counts.truthfulness(), highest);
    ASSERT_EQ(best.counts.total(), static_cast<int64_t>(judged.size()));
  }
}

TEST(RiskCoverage, EveryPointIsWhatItsThresholdGives) {
  Generator generator(3);
  for (int trial = 0; trial < 100; ++trial) {
    const Judged judged(generator, 2 + generator.below(40));
    const RiskCoverage curve = risk_coverage(judged.confidences(), judged.rights());
    const auto n = static_cast<double>(judged.size());
    double area = 0;
    for (const RiskCoveragePoint& point : curve.points) {
      const AnswerCounts counts =
          answers_at(point.threshold, judged.confidences(), judged.rights());
      const auto answered = static_cast<double>(counts.right + counts.wrong);
      ASSERT_EQ(point.coverage, answered / n);
      ASSERT_EQ(point.risk, answered == 0 ? 0 : static_cast<double>(counts.wrong) / answered);
      ASSERT_EQ(point.truthfulness, counts.truthfulness());
    }
    for (double c : judged.confidence) {
      const AnswerCounts counts = answers_at(c, judged.confidences(), judged.rights());
      area +=
          static_cast<double>(counts.wrong) / static_cast<double>(counts.wrong + counts.right) / n;
    }
    ASSERT_NEAR(curve.area, area, 1e-14);
    ASSERT_EQ(curve.points.back().coverage, 1.0);
  }
}

TEST(Calibration, EqualsTheLoopOverBins) {
  Generator generator(4);
  for (int trial = 0; trial < 100; ++trial) {
    const Judged judged(generator, 2 + generator.below(40));
    const int64_t bins = 1 + generator.below(12);
    double error = 0;
    for (int64_t m = 0; m < bins; ++m) {
      double count = 0, confidence = 0, right = 0;
      for (size_t i = 0; i < judged.size(); ++i) {
        const double scaled = judged.confidence[i] * static_cast<double>(bins);
        const auto low = static_cast<double>(m);
        if (!(scaled > low && scaled <= low + 1) && !(m == 0 && scaled == 0)) continue;
        count += 1;
        confidence += judged.confidence[i];
        right += judged.right[i];
      }
      if (count > 0)
        error += count / static_cast<double>(judged.size()) *
                 std::abs(right / count - confidence / count);
    }
    ASSERT_NEAR(calibration(judged.confidences(), judged.rights(), bins).error, error, 1e-14);
  }
}

TEST(PairAccuracy, EqualsTheLoopOverAllPairs) {
  Generator generator(5);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<int64_t> sizes, ranks, group;
    std::vector<double> scores;
    for (int64_t g = 0; g <= generator.below(4); ++g) {
      sizes.push_back(2 + generator.below(4));
      for (int64_t k = 0; k < sizes.back(); ++k) {
        ranks.push_back(generator.below(3));
        scores.push_back(static_cast<double>(generator.below(4)));
        group.push_back(g);
      }
    }
    double pairs = 0, right = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
      for (size_t k = 0; k < scores.size(); ++k) {
        if (group[i] != group[k] || ranks[i] >= ranks[k]) continue;
        pairs += 1;
        right += scores[i] > scores[k] ? 1.0 : scores[i] == scores[k] ? 0.5 : 0.0;
      }
    }
    const std::vector<std::vector<int64_t>> ones(scores.size(), {1});
    const Rankings rankings{.completions = completions_from(ones, ones),
                            .group_sizes = int64_tensor(sizes),
                            .ranks = int64_tensor(ranks)};
    const RankingAccuracy accuracy =
        pair_accuracy(torch::tensor(scores, torch::kFloat64), rankings);
    ASSERT_EQ(static_cast<double>(accuracy.all.pairs), pairs);
    ASSERT_EQ(accuracy.all.right, right);
  }
}

}  // namespace
}  // namespace rlhf::evaluation
