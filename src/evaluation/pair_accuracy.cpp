#include "rlhf/evaluation/pair_accuracy.hpp"

#include <fmt/format.h>

#include "inputs.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::evaluation {
namespace {

/// Of a pair, which its better response is `better`.
double credit(double better, double worse) {
  return better == worse ? 0.5 : better > worse ? 1.0 : 0.0;
}

void add(PairAccuracy& accuracy, double right) {
  ++accuracy.pairs;
  accuracy.right += right;
}

}  // namespace

RankingAccuracy pair_accuracy(const Tensor& scores, const Rankings& rankings,
                              std::span<const std::string> labels) {
  rankings.validate();
  const std::vector<double> score = numbers_of(scores, "scores of pair_accuracy");
  const auto count = static_cast<size_t>(rankings.completions.size());
  require(score.size() == count, "scores of pair_accuracy", count, score.size());
  require(labels.empty() || labels.size() == count, "labels of pair_accuracy", count,
          labels.size());
  const std::vector<int64_t> ranks =
      rankings.ranks ? int64_vector(*rankings.ranks) : std::vector<int64_t>{};

  RankingAccuracy accuracy;
  size_t start = 0;
  for (int64_t size : int64_vector(rankings.group_sizes)) {
    const size_t end = start + static_cast<size_t>(size);
    const auto is_better = [&](size_t i, size_t k) {
      return ranks.empty() ? i < k : ranks[i] < ranks[k];
    };
    for (size_t i = start; i < end; ++i) {
      for (size_t k = start; k < end; ++k) {
        if (!is_better(i, k)) continue;
        const double right = credit(score[i], score[k]);
        add(accuracy.all, right);
        if (!labels.empty()) add(accuracy.kinds[fmt::format("{}>{}", labels[i], labels[k])], right);
      }
    }
    start = end;
  }
  return accuracy;
}

}  // namespace rlhf::evaluation
