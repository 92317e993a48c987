#include "rlhf/trainer/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "rlhf/core/non_finite.hpp"
#include "rlhf/io/named_tensors.hpp"

namespace rlhf {

bool BestWeights::offer(double score, int64_t step) {
  require(std::isfinite(score), "score of BestWeights::offer", "a finite number", score);
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

void BestWeights::archive(Archive& archive) {
  bool any = score_.has_value();
  double score = score_.value_or(0);
  archive.value("any", any);
  archive.value("score", score);
  archive.value("step", step_);
  if (archive.loading()) score_ = any ? std::optional(score) : std::nullopt;
  constexpr const char* misfit = "checkpoint does not fit the best weights";
  archive.tensors(
      "weights", [this] { return named(best_); },
      [this](const std::vector<NamedTensor>& stored) {
        if (!stored.empty()) io::require_fit(parameters_, stored, misfit);
      },
      [this](const std::vector<NamedTensor>& stored) {
        best_.clear();
        if (stored.empty()) return;
        for (const auto& [name, weight] : parameters_) {
          best_.push_back(torch::empty_like(weight.detach()));
        }
        io::assign(named(best_), stored, misfit);
      });
}

std::vector<NamedTensor> BestWeights::named(const std::vector<Tensor>& weights) const {
  std::vector<NamedTensor> result;
  for (size_t i = 0; i < weights.size(); ++i) {
    result.emplace_back(parameters_[i].first, weights[i]);
  }
  return result;
}

void TrainOptions::validate() const {
  require(steps >= 1, "TrainOptions::steps", ">= 1", steps);
  require(evaluate_every >= 0, "TrainOptions::evaluate_every", ">= 0", evaluate_every);
  require(patience >= 0, "TrainOptions::patience", ">= 0", patience);
  require(patience == 0 || evaluate_every > 0, "TrainOptions::evaluate_every",
          "> 0, as patience counts evaluations", evaluate_every);
  require(first_evaluation >= 0, "TrainOptions::first_evaluation", ">= 0", first_evaluation);
}

double trainer::checked_evaluation(double score, int64_t step) {
  if (!std::isfinite(score)) {
    fail_non_finite(fmt::format("evaluation after step {}", step), fmt::format("{}", score));
  }
  return score;
}

void trainer::Progress::note(double score) {
  const bool is_best = !best_score || score > *best_score;
  since_best = is_best ? 0 : since_best + 1;
  best_score = std::max(score, best_score.value_or(score));
}

void trainer::Progress::warn(const std::vector<std::string>& warnings,
                             const std::function<void(std::string_view)>& say) {
  for (const std::string& warning : warnings) {
    if (!warned.insert(warning).second) continue;
    const std::string line = fmt::format("warning, step {}: {}", step + 1, warning);
    say ? say(line) : fmt::print(stderr, "{}\n", line);
  }
}

void trainer::Progress::archive(Archive& archive) {
  bool evaluated = best_score.has_value();
  double best = best_score.value_or(0);
  archive.value("step", step);
  archive.value("since_best", since_best);
  archive.value("evaluated", evaluated);
  archive.value("best_score", best);
  if (archive.loading()) best_score = evaluated ? std::optional(best) : std::nullopt;
}

}  // namespace rlhf
