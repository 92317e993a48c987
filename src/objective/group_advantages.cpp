#include "rlhf/objective/group_advantages.hpp"

#include <algorithm>

#include "checks.hpp"

namespace rlhf::objective {
namespace {

/// Sums over groups, given back to each member.
struct Groups {
  Tensor index;  ///< int64 [B], the group of each row, from 0
  Tensor sizes;  ///< [B], members of each row's group

  Tensor sums(const Tensor& x) const {
    return torch::zeros_like(x).index_add_(0, index, x).index_select(0, index);
  }
};

Groups groups_of(const Tensor& scores, const Tensor& groups) {
  require_real(scores, "scores");
  require(scores.dim() == 1 && scores.size(0) > 0, "scores", "[B] with B >= 1", scores.sizes());
  require_dtype(groups, torch::kInt64, "groups");
  require_fits(groups, scores.sizes(), scores.device(), "groups");
  const auto [ids, index, counts] = at::_unique2(groups, /*sorted=*/true, /*return_inverse=*/true,
                                                 /*return_counts=*/true);
  const int64_t smallest = counts.argmin().item<int64_t>();
  require(counts[smallest].item<int64_t>() >= 2,
          "samples of group " + std::to_string(ids[smallest].item<int64_t>()), ">= 2",
          counts[smallest].item<int64_t>());
  return {.index = index, .sizes = counts.index_select(0, index).to(scores.scalar_type())};
}

}  // namespace

Tensor grpo_advantages(const Tensor& scores, const Tensor& groups, double epsilon) {
  require_positive(epsilon, "epsilon");
  const Groups group = groups_of(scores, groups);
  const Tensor x = scores.detach();
  const Tensor centred = x - group.sums(x) / group.sizes;
  const Tensor variance = group.sums(centred.square()) / (group.sizes - 1);
  return centred / (variance.sqrt() + epsilon);
}

Tensor rloo_advantages(const Tensor& scores, const Tensor& groups) {
  const Groups group = groups_of(scores, groups);
  const Tensor x = scores.detach();
  return x - (group.sums(x) - x) / (group.sizes - 1);
}

}  // namespace rlhf::objective
