#include "rlhf/evaluation/risk_coverage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "inputs.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::evaluation {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A threshold above `lower` and not above `upper`.
double between(double lower, double upper) {
  const double middle = std::midpoint(lower, upper);
  return middle > lower && middle <= upper ? middle : upper;
}

}  // namespace

RiskCoverage risk_coverage(const Tensor& confidence, const Tensor& right) {
  const std::vector<double> confidences = numbers_of(confidence, "confidence of risk_coverage");
  const std::vector<bool> is_right = flags_of(right, confidences.size(), "right of risk_coverage");
  for (double c : confidences) {
    require(c < infinity, "confidence of risk_coverage", "below infinity, which answers nothing",
            c);
  }
  std::vector<size_t> order(confidences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, std::ranges::greater{}, [&](size_t i) { return confidences[i]; });

  const auto n = static_cast<double>(order.size());
  RiskCoverage curve{.points = {{.threshold = infinity}}};
  double answered = 0.0, wrong = 0.0;
  for (size_t start = 0; start < order.size();) {
    const double threshold = confidences[order[start]];
    size_t end = start;
    for (; end < order.size() && confidences[order[end]] == threshold; ++end) {
      answered += 1.0;
      wrong += is_right[order[end]] ? 0.0 : 1.0;
    }
    const double risk = wrong / answered;
    curve.points.push_back({.threshold = threshold,
                            .coverage = answered / n,
                            .risk = risk,
                            .truthfulness = (answered - 2.0 * wrong) / n});
    curve.area += risk * static_cast<double>(end - start) / n;
    start = end;
  }
  return curve;
}

Threshold best_threshold(const Tensor& confidence, const Tensor& right) {
  const std::vector<RiskCoveragePoint> points = risk_coverage(confidence, right).points;
  const auto best = std::ranges::max_element(points, {}, &RiskCoveragePoint::truthfulness);
  const auto next = std::next(best);
  const double threshold = best == points.begin() ? infinity
                           : next == points.end() ? -infinity
                                                  : between(next->threshold, best->threshold);
  return {.threshold = threshold, .counts = answers_at(threshold, confidence, right)};
}

AnswerCounts answers_at(double threshold, const Tensor& confidence, const Tensor& right) {
  require(!std::isnan(threshold), "threshold", "a number", threshold);
  const std::vector<double> confidences = numbers_of(confidence, "confidence of answers_at");
  const std::vector<bool> is_right = flags_of(right, confidences.size(), "right of answers_at");
  AnswerCounts counts;
  for (size_t i = 0; i < confidences.size(); ++i) {
    if (confidences[i] < threshold) {
      ++counts.abstained;
    } else {
      ++(is_right[i] ? counts.right : counts.wrong);
    }
  }
  return counts;
}

}  // namespace rlhf::evaluation
