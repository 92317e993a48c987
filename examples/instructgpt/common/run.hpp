/// One run: its loop, its metrics on the terminal and in files, and its report.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/options.hpp"
#include "rlhf/core/metric.hpp"
#include "rlhf/data/loader.hpp"
#include "rlhf/report/history.hpp"
#include "rlhf/report/html.hpp"
#include "rlhf/report/sinks.hpp"
#include "rlhf/trainer/train.hpp"

namespace instructgpt {

/// What an evaluation found.
struct Evaluation {
  double score = 0;  ///< higher is better
  std::vector<rlhf::Metric> metrics = {};
};
using Evaluate = std::function<Evaluation()>;

class Run {
 public:
  /// Makes <out>/training with options.json, metrics.jsonl and tensorboard/ in it. Called last of
  /// all that can fail: a run that cannot begin leaves nothing behind.
  /// @param shown  metrics for the terminal
  Run(const Program& program, const RunOptions& options, int64_t steps,
      std::vector<std::string> shown);

  /// Trains as planned; evaluates before the first and after the last step, too.
  /// @param evaluate  empty: no evaluation
  /// @param best      the weights of the best evaluation are put back at the end; null: the last
  ///                  ones stay
  template <class Trainer, class Rows>
  void train(Trainer& trainer, rlhf::Loader<Rows>& loader, const rlhf::TrainOptions& plan,
             const Evaluate& evaluate, rlhf::BestWeights* best) {
    const auto logged = [&] {
      const Evaluation found = evaluate();
      sinks_.log(trainer.steps(), found.metrics);
      return found.score;
    };
    const auto next = [&] { return loader.next(); };
    if (!evaluate) {
      rlhf::train(trainer, next, plan, sinks_);
      return;
    }
    const double before = logged();
    if (best != nullptr) best->offer(before, 0);
    rlhf::train(trainer, next, plan, sinks_, logged, best);
    const bool evaluated_last = plan.evaluate_every > 0 && plan.steps % plan.evaluate_every == 0;
    if (best != nullptr || !evaluated_last) logged();
  }

  /// Writes training/report.html.
  /// @param figures  metrics whose first and last values head it; those never logged are left out
  void report(const std::vector<std::string>& figures,
              const rlhf::report::Exchanges& samples = {}) const;

 private:
  std::string name_, configuration_;
  std::filesystem::path folder_;
  rlhf::MetricHistory history_;
  rlhf::Sinks sinks_;
};

}  // namespace instructgpt
