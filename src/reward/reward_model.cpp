#include "rlhf/reward/reward_model.hpp"

#include <cmath>

#include "rlhf/core/error.hpp"

namespace rlhf {

RewardModel::RewardModel(const CausalLM& language_model, Generator& generator)
    : model_(language_model.trunk(),
             1.0 / std::sqrt(static_cast<double>(language_model.config().dim) + 1.0), generator) {}

Tensor RewardModel::score(const Completions& completions) const {
  const Tensor last = completions.lengths().cumsum(0) - 1;
  return model_.at(completions, last.to(completions.tokens.device()));
}

Tensor RewardModel::operator()(const Rollout& rollout) const {
  NoGrad no_grad;
  return score(rollout.completions);
}

double RewardModel::centre_on(const Completions& demonstrations) {
  require(demonstrations.size() >= 1, "demonstrations to centre on", ">= 1", demonstrations.size());
  NoGrad no_grad;
  const double shift = -score(demonstrations).mean().item<double>();
  require(std::isfinite(shift), "mean score of the demonstrations", "a finite number", -shift);
  model_.shift(shift);
  return shift;
}

}  // namespace rlhf
