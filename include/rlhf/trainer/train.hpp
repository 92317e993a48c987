/// The loop around any trainer: steps, metrics to sinks, evaluation, and the best weights kept.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/checkpoint/run.hpp"
#include "rlhf/core/concepts.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf {

/// A copy of the weights at the best evaluation so far.
class BestWeights {
 public:
  /// Watches those of these parameters that learn; they are shared with the model.
  explicit BestWeights(std::vector<NamedTensor> parameters) : parameters_(std::move(parameters)) {
    std::erase_if(parameters_, [](const NamedTensor& p) { return !p.second.requires_grad(); });
  }

  /// Keeps a copy if `score` is the highest yet (the first counts). @return whether it is
  bool offer(double score, int64_t step);
  /// Puts the best weights back into the model; does nothing before the first offer.
  void restore();

  /// The best so far, and its weights.
  void archive(Archive& archive);

  std::optional<double> score() const { return score_; }
  int64_t step() const { return step_; }

 private:
  std::vector<NamedTensor> named(const std::vector<Tensor>& weights) const;

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
  /// Where warnings of the steps go, each once; empty: standard error.
  std::function<void(std::string_view)> say = {};

  /// @throws Error naming the field
  void validate() const;
};

namespace trainer {

/// How far a training loop has come.
struct Progress {
  int64_t step = 0;
  int64_t since_best = 0;  ///< evaluations
  std::optional<double> best_score = {};

  bool is_over(const TrainOptions& options) const {
    return step >= options.steps || (options.patience > 0 && since_best >= options.patience);
  }
  void note(double score);
  /// Each warning once.
  void warn(const std::vector<std::string>& warnings,
            const std::function<void(std::string_view)>& say);
  void archive(Archive& archive);

  std::set<std::string> warned = {};
};

/// @throws NonFinite naming the step
double checked_evaluation(double score, int64_t step);

}  // namespace trainer

/// Runs trainer.step(next()) and logs what each step did.
///
/// @param next      () -> a batch, Completions or Rankings
/// @param evaluate  () -> double, higher is better; its score is logged as "evaluation". The
///                  weights of the best one are in the model at the end. Empty: the last stay
/// @param best      the parameters that are kept and restored; empty: nothing is
/// @param run       saves and goes on; it knows trainer, sink and what `next` draws from already
/// @return          steps taken, those of earlier processes included
template <class Trainer, class Next, MetricSink Sink>
int64_t train(Trainer& trainer, Next&& next, const TrainOptions& options, Sink&& sink,
              const std::function<double()>& evaluate = {}, BestWeights* best = nullptr,
              Run* run = nullptr) {
  options.validate();
  require(options.evaluate_every == 0 || static_cast<bool>(evaluate),
          "TrainOptions::evaluate_every", "0 without an evaluation", options.evaluate_every);
  const auto shared = std::make_shared<trainer::Progress>();  // the run may be saved afterwards
  trainer::Progress& progress = *shared;
  if (run != nullptr) run->add(Part::shared("progress", shared));
  if (run != nullptr && best != nullptr) run->add({"best", *best});
  const auto one_step = [&](int64_t step) {
    const auto stats = trainer.step(next());
    if constexpr (requires { stats.warnings(); }) progress.warn(stats.warnings(), options.say);
    std::vector<Metric> metrics = stats.metrics();
    if (options.evaluate_every > 0 && step >= options.first_evaluation &&
        step % options.evaluate_every == 0) {
      const double score = trainer::checked_evaluation(evaluate(), step);
      metrics.push_back({"evaluation", score});
      progress.note(score);
      if (best != nullptr) best->offer(score, step);
    }
    sink.log(step, metrics);
    progress.step = step;
  };
  while (!progress.is_over(options) && (run == nullptr || run->stopped_by() == 0)) {
    run == nullptr ? one_step(progress.step + 1) : run->once(one_step);
  }
  if (run != nullptr) run->save();
  if (best != nullptr) best->restore();
  return progress.step;
}

}  // namespace rlhf
