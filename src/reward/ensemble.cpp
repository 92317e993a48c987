#include "rlhf/reward/ensemble.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "rlhf/core/error.hpp"
#include "rlhf/reward/shaping.hpp"

namespace rlhf::reward {

void EnsembleOptions::validate() const {
  require_known(pool, Pool::mean_minus_std, "EnsembleOptions::pool", "mean, min or mean_minus_std");
  require(std::isfinite(std_weight) && std_weight >= 0, "EnsembleOptions::std_weight",
          "a finite number >= 0", std_weight);
}

Ensemble::Ensemble(std::vector<AnyReward> members, EnsembleOptions options)
    : members_(std::move(members)), options_(options) {
  options_.validate();
  require(!members_.empty(), "members of Ensemble", ">= 1", members_.size());
}

void Ensemble::archive(Archive& archive) const {
  for (size_t i = 0; i < members_.size(); ++i) archive.part(std::to_string(i), members_[i]);
}

Tensor Ensemble::operator()(const Rollout& rollout) const {
  std::vector<Tensor> each;
  for (const AnyReward& member : members_) {
    each.push_back(checked_scores(member(rollout), rollout,
                                  fmt::format("scores of member {} of Ensemble", each.size())));
  }
  const Tensor scores = torch::stack(each);
  switch (options_.pool) {
    case Pool::mean:
      return scores.mean(0);
    case Pool::min:
      return scores.amin(0);
    case Pool::mean_minus_std:
      return scores.mean(0) - options_.std_weight * scores.std(0, /*unbiased=*/false);
  }
  fail("EnsembleOptions::pool", "mean, min or mean_minus_std",
       fmt::format("{}", static_cast<int>(options_.pool)));
}

}  // namespace rlhf::reward
