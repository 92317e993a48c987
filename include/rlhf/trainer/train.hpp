/// The loop around any trainer: steps, metrics to sinks, evaluation, and the best weights kept.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf {

/// A copy of the weights at the best evaluation so far.
class BestWeights {
 public:
  /// Watches these parameters, which are shared with the model.
  explicit BestWeights(std::vector<NamedTensor> parameters) : parameters_(std::move(parameters)) {}

  /// Keeps a copy if `score` is the highest yet (the first counts). @return whether it is
  bool offer(double score, int64_t step);
  /// Puts the best weights back into the model; does nothing before the first offer.
  void restore();

  std::optional<double> score() const { return score_; }
  int64_t step() const { return step_; }

 private:
  std::vector<NamedTensor> parameters_;
  std::vector<Tensor> best_;
  std::optional<double> score_;
  int64_t step_ = 0;
};

/// When a run evaluates, and when it gives up.
struct TrainOptions {
  int64_t steps = 0;             ///< steps of the trainer, >= 1
  int64_t evaluate_every = 0;    ///< steps; 0: never
  int64_t patience = 0;          ///< evaluations without a better score before it stops; 0: never
  int64_t first_evaluation = 0;  ///< no evaluation before this step

  /// @throws Error naming the field
  void validate() const;
};

/// Runs trainer.step(next()) and logs what each step did.
///
/// @param next      () -> a batch, Completions or Rankings
/// @param evaluate  () -> double, higher is better; its score is logged as "evaluation". The
/// weights
///                  of the best one are in the model at the end. Empty: the last weights stay
/// @param best      the parameters that are kept and restored; empty: nothing is
/// @return          steps taken
template <class Trainer, class Next, MetricSink Sink>
int64_t train(Trainer& trainer, Next&& next, const TrainOptions& options, Sink&& sink,
              const std::function<double()>& evaluate = {}, BestWeights* best = nullptr) {
  options.validate();
  require(options.evaluate_every == 0 || static_cast<bool>(evaluate),
          "TrainOptions::evaluate_every", "0 without an evaluation", options.evaluate_every);
  int64_t since_best = 0, step = 0;
  double best_score = 0;
  bool evaluated = false;
  while (step < options.steps) {
    std::vector<Metric> metrics = trainer.step(next()).metrics();
    ++step;
    if (options.evaluate_every > 0 && step >= options.first_evaluation &&
        step % options.evaluate_every == 0) {
      const double score = evaluate();
      metrics.push_back({"evaluation", score});
      since_best = !evaluated || score > best_score ? 0 : since_best + 1;
      best_score = evaluated ? std::max(best_score, score) : score;
      evaluated = true;
      if (best != nullptr) best->offer(score, step);
    }
    sink.log(step, metrics);
    if (options.patience > 0 && since_best >= options.patience) break;
  }
  if (best != nullptr) best->restore();
  return step;
}

}  // namespace rlhf
