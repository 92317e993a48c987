#include "rlhf/evaluation/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "inputs.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::evaluation {

Calibration calibration(const Tensor& confidence, const Tensor& right, int64_t bin_count) {
  require(bin_count >= 1, "bin_count of calibration", ">= 1", bin_count);
  const std::vector<double> confidences = numbers_of(confidence, "confidence of calibration");
  const std::vector<bool> is_right = flags_of(right, confidences.size(), "right of calibration");

  // Sums first, in the fields that become means.
  Calibration result{.bins = std::vector<CalibrationBin>(static_cast<size_t>(bin_count))};
  for (size_t i = 0; i < confidences.size(); ++i) {
    const double c = confidences[i];
    require(c >= 0.0 && c <= 1.0, fmt::format("confidence of calibration, number {}", i),
            "in [0, 1]", c);
    const double bin = std::max(0.0, std::ceil(c * static_cast<double>(bin_count)) - 1.0);
    CalibrationBin& its = result.bins[static_cast<size_t>(bin)];
    ++its.count;
    its.confidence += c;
    its.accuracy += is_right[i] ? 1.0 : 0.0;
  }
  const auto n = static_cast<double>(confidences.size());
  for (CalibrationBin& bin : result.bins) {
    if (bin.count == 0) continue;
    result.error += std::abs(bin.accuracy - bin.confidence) / n;
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
  return result;
}

double auc(const Tensor& scores, const Tensor& positive) {
  const std::vector<double> score = numbers_of(scores, "scores of auc");
  const std::vector<bool> is_positive = flags_of(positive, score.size(), "positive of auc");
  const auto positives = std::ranges::count(is_positive, true);
  const auto negatives = std::ssize(is_positive) - positives;
  require(positives > 0 && negatives > 0, "positive of auc", "both classes",
          fmt::format("{} positive and {} negative", positives, negatives));

  std::vector<size_t> order(score.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return score[i]; });
  double wins = 0.0;  // of positives over negatives, a tie one half
  double negatives_below = 0.0;
  for (size_t start = 0; start < order.size();) {
    double tied_positives = 0.0, tied_negatives = 0.0;
    size_t end = start;
    for (; end < order.size() && score[order[end]] == score[order[start]]; ++end) {
      (is_positive[order[end]] ? tied_positives : tied_negatives) += 1.0;
    }
    wins += tied_positives * (negatives_below + 0.5 * tied_negatives);
    negatives_below += tied_negatives;
    start = end;
  }
  return wins / (static_cast<double>(positives) * static_cast<double>(negatives));
}

}  // namespace rlhf::evaluation
