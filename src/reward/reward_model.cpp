#include "rlhf/reward/reward_model.hpp"

#include <cmath>

#include "rlhf/core/error.hpp"

namespace rlhf {

namespace {

double head_deviation(const Transformer& trunk) {
  return 1.0 / std::sqrt(static_cast<double>(trunk.config().dim) + 1.0);
}

}  // namespace

RewardModel::RewardModel(const CausalLM& language_model, Generator& generator)
    : model_(language_model.trunk(), head_deviation(language_model.trunk()), generator) {}

RewardModel::RewardModel(Transformer&& trunk, Generator& generator)
    : model_(std::move(trunk), head_deviation(trunk), generator) {}

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
