#include "rlhf/objective/ranking.hpp"

#include <numeric>
#include <vector>

#include "checks.hpp"
#include "elementwise.hpp"

namespace rlhf::objective {
namespace {

/// Every pair of every group that is not a tie.
struct Pairs {
  std::vector<int64_t> better, worse;  ///< rows of scores
  std::vector<double> weight;          ///< 1 / pairs of its group
  int64_t groups = 0;                  ///< with at least one pair
};

void require_groups(const std::vector<int64_t>& sizes, const std::optional<Tensor>& ranks) {
  require(!sizes.empty(), "group_sizes", "at least one group", "none");
  for (int64_t size : sizes) require(size >= 2, "group_sizes", ">= 2", size);
  if (!ranks) return;
  require_dtype(*ranks, torch::kInt64, "ranks");
  require_shape(*ranks, {std::accumulate(sizes.begin(), sizes.end(), int64_t{0})}, "ranks");
}

Pairs pairs_of(const Tensor& group_sizes, const std::optional<Tensor>& ranks) {
  require_dtype(group_sizes, torch::kInt64, "group_sizes");
  require(group_sizes.dim() == 1, "group_sizes", "[G]", group_sizes.sizes());
  const std::vector<int64_t> sizes = int64_vector(group_sizes);
  require_groups(sizes, ranks);
  const std::vector<int64_t> rank = ranks ? int64_vector(*ranks) : std::vector<int64_t>{};
  const auto is_better = [&](int64_t a, int64_t b) {
    return rank.empty() ? a < b : rank[static_cast<size_t>(a)] < rank[static_cast<size_t>(b)];
  };

  Pairs pairs;
  int64_t begin = 0;
  for (int64_t size : sizes) {
    const size_t before = pairs.better.size();
    for (int64_t a = begin; a < begin + size; ++a) {
      for (int64_t b = begin; b < begin + size; ++b) {
        if (!is_better(a, b)) continue;
        pairs.better.push_back(a);
        pairs.worse.push_back(b);
      }
    }
    begin += size;
    const size_t made = pairs.better.size() - before;
    pairs.weight.resize(pairs.better.size(), made == 0 ? 0 : 1 / static_cast<double>(made));
    pairs.groups += made > 0;
  }
  return pairs;
}

}  // namespace

RankingLoss ranking_loss(const Tensor& scores, const Tensor& group_sizes,
                         const std::optional<Tensor>& ranks, double margin,
                         std::optional<double> denominator) {
  require_real(scores, "scores");
  require(std::isfinite(margin), "margin", "a finite number", margin);
  const Pairs pairs = pairs_of(group_sizes, ranks);
  const int64_t responses = group_sizes.sum().item<int64_t>();
  require(scores.dim() == 1 && scores.size(0) == responses, "scores", at::IntArrayRef(responses),
          scores.sizes());
  if (denominator) require_positive(*denominator, "denominator");
  require(denominator || pairs.groups > 0, "groups with a pair", ">= 1", pairs.groups);

  const auto at_rows = [&](const std::vector<int64_t>& rows) {
    return scores.index_select(0, int64_tensor(rows).to(scores.device()));
  };
  const double groups = denominator.value_or(static_cast<double>(pairs.groups));
  const Tensor weight =
      torch::tensor(pairs.weight, torch::kDouble).to(scores.device(), scores.scalar_type()) /
      groups;
  const Tensor lead = at_rows(pairs.better) - at_rows(pairs.worse);
  const Tensor loss = (log_sigmoid_of(lead - margin) * weight).sum().neg();

  const NoGrad metrics;
  const auto mean = [&](const Tensor& of_pairs) {
    return denominator ? (of_pairs * weight).sum() : of_pairs.mean();
  };
  return {.loss = loss, .accuracy = mean((lead.sign() + 1) / 2), .margin = mean(lead)};
}

int64_t rankable_groups(const Tensor& group_sizes, const std::optional<Tensor>& ranks) {
  return pairs_of(group_sizes, ranks).groups;
}

}  // namespace rlhf::objective
