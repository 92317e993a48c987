#include "rlhf/trainer/train.hpp"

namespace rlhf {

bool BestWeights::offer(double score, int64_t step) {
  if (score_ && !(score > *score_)) return false;
  score_ = score;
  step_ = step;
  best_.clear();
  for (const auto& [name, weight] : parameters_) best_.push_back(weight.detach().clone());
  return true;
}

void BestWeights::restore() {
  if (!score_) return;
  NoGrad no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i].second.copy_(best_[i]);
}

void TrainOptions::validate() const {
  require(steps >= 1, "TrainOptions::steps", ">= 1", steps);
  require(evaluate_every >= 0, "TrainOptions::evaluate_every", ">= 0", evaluate_every);
  require(patience >= 0, "TrainOptions::patience", ">= 0", patience);
  require(patience == 0 || evaluate_every > 0, "TrainOptions::evaluate_every",
          "> 0, as patience counts evaluations", evaluate_every);
  require(first_evaluation >= 0, "TrainOptions::first_evaluation", ">= 0", first_evaluation);
}

}  // namespace rlhf
