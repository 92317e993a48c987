/// Reward modelling: ranks responses as people did.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/objective/ranking.hpp"
#include "rlhf/trainer/guard.hpp"
#include "rlhf/trainer/learner.hpp"
#include "rlhf/trainer/micro_batches.hpp"

namespace rlhf {

/// What RewardTrainer trains.
///  1. score(Completions) -> float [B], differentiable
///  2. named_parameters() -> a list of named tensors
template <class M>
concept Scorer = requires(M& model, const Completions& completions) {
  { model.score(completions) } -> std::convertible_to<Tensor>;
  { model.named_parameters() } -> NamedParameters;
};

struct RewardOptions {
  AdamWOptions optimizer = {};
  Schedule schedule = {};
  double margin = 0.0;             ///< how much higher the better must score, in logits
  int64_t micro_batch_tokens = 0;  ///< tokens in one pass, 0: all groups at once; no result changes
  OnNonFinite on_non_finite = OnNonFinite::stop;

  void validate() const;
  void archive(Archive& archive) const;
};

/// What one step of reward modelling did.
struct RewardStats {
  double loss = 0;      ///< mean over groups of the mean over pairs, nats
  double accuracy = 0;  ///< share of pairs ranked rightly, ties one half
  double margin = 0;    ///< mean of better minus worse score
  double gradient_norm = 0;
  double learning_rate = 0;
  int64_t groups = 0;   ///< rankings with at least one pair
  int64_t skipped = 0;  ///< 1: a number was not finite, and the step made no update

  std::vector<Metric> metrics() const;
  /// NaN for what is not known.
  static RewardStats of_skipped_step();
};

/// Borrows the model, which must outlive it. All pairs of a prompt are one batch element and every
/// response runs once (Ouyang et al. 2022, arXiv 2203.02155, section 3.5).
template <class M>
class RewardTrainer {
  static_assert(Scorer<M>,
                "rlhf: a reward model must have score(const Completions&) returning a Tensor [B] "
                "and named_parameters() returning a list of named tensors");

 public:
  /// @throws Error from options.validate()
  explicit RewardTrainer(M& model, const RewardOptions& options = {})
      : model_(model),
        options_((options.validate(), options)),
        learner_(named_parameters_of(model), options.optimizer, options.schedule) {}

  /// A temporary would be gone before the first step: refused, with the sentence that says so.
  template <class Never = void>
  explicit RewardTrainer(M&& model, const RewardOptions& options = {})
      : RewardTrainer(model, options) {
    static_assert(
        !std::is_void_v<Never>,
        "rlhf: RewardTrainer borrows its model: pass a variable that outlives the trainer, "
        "not a temporary");
  }

  /// One optimizer step on a batch of rankings.
  /// @throws Error      on malformed rankings, and where every group is tied: nothing to learn
  /// @throws NonFinite  on such a score or gradient, unless it is to be skipped
  ///                    No weight moves then.
  RewardStats step(const Rankings& rankings) {
    const auto stats =
        trainer::or_skip(options_.on_non_finite, problem_, [&] { return learn(rankings); });
    return stats.value_or(RewardStats::of_skipped_step());
  }

  /// Loss, accuracy and margin without learning.
  RewardStats evaluate(const Rankings& rankings) {
    NoGrad no_grad;
    return pass(rankings, [](const Tensor&) {});
  }

  /// Updates made.
  int64_t steps() const { return learner_.updates(); }
  /// What the last skipped step met.
  const std::string& problem() const { return problem_; }
  /// Model, optimizer and options.
  void archive(Archive& archive) {
    archive.part("model", model_);
    archive.part("learner", learner_);
    archive.part("options", options_);
  }
  AdamW& optimizer() { return learner_.optimizer(); }

 private:
  RewardStats learn(const Rankings& rankings) {
    const auto backward = [](const Tensor& loss) { loss.backward(); };
    learner_.begin();
    RewardStats stats = pass(rankings, backward);
    require(stats.groups > 0, "groups of a batch of rankings in which one response is better",
            ">= 1", std::to_string(rankings.size()) + " groups of nothing but ties");
    // A group stands for its first sequence.
    const Tensor starts = rankings.group_sizes.cumsum(0) - rankings.group_sizes;
    const auto update = trainer::update(
        learner_, select(trainer::numbered(rankings.completions), starts), steps(),
        [&](int64_t group) { pass(select(rankings, int64_tensor({group})), backward); });
    stats.gradient_norm = update.gradient_norm;
    stats.learning_rate = update.learning_rate;
    return stats;
  }

  template <class Learn>
  RewardStats pass(const Rankings& rankings, Learn&& learn) {
    rankings.validate();
    trainer::require_responses(rankings.completions);
    RewardStats stats{.groups = objective::rankable_groups(rankings.group_sizes, rankings.ranks)};
    for (const Rankings& batch : trainer::micro_batches(rankings, options_.micro_batch_tokens)) {
      if (objective::rankable_groups(batch.group_sizes, batch.ranks) == 0) continue;
      const Tensor scores = model_.score(batch.completions);
      trainer::require_finite_scores(scores, batch.completions, steps());
      const auto result =
          objective::ranking_loss(scores, batch.group_sizes, batch.ranks, options_.margin,
                                  static_cast<double>(stats.groups));
      learn(result.loss);
      stats.loss += result.loss.template item<double>();
      stats.accuracy += result.accuracy.template item<double>();
      stats.margin += result.margin.template item<double>();
    }
    return stats;
  }

  M& model_;
  RewardOptions options_;
  trainer::Learner learner_;
  std::string problem_;
};

}  // namespace rlhf
