/// Supervised fine-tuning: raises the log-probability of demonstrations.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/objective/diagnostics.hpp"
#include "rlhf/trainer/guard.hpp"
#include "rlhf/trainer/learner.hpp"
#include "rlhf/trainer/micro_batches.hpp"

namespace rlhf {

struct SftOptions {
  AdamWOptions optimizer = {};
  Schedule schedule = {};          ///< factor of the learning rate, by step
  int64_t micro_batch_tokens = 0;  ///< tokens in one pass, 0: the whole batch; no result changes
  OnNonFinite on_non_finite = OnNonFinite::stop;

  /// @throws Error naming the field
  void validate() const;
  void archive(Archive& archive) const;
};

/// What one step of supervised fine-tuning did.
struct SftStats {
  double loss = 0;           ///< nats a counted token, before the update
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;
  int64_t tokens = 0;   ///< counted response tokens
  int64_t skipped = 0;  ///< 1: a number was not finite, and the step made no update

  std::vector<Metric> metrics() const;
  /// NaN for what is not known.
  static SftStats of_skipped_step();
};

/// Borrows the policy, which must outlive it.
template <class P>
class SftTrainer {
  static_assert(require_policy<P>());

 public:
  /// @throws Error from options.validate()
  explicit SftTrainer(P& policy, const SftOptions& options = {})
      : policy_(policy),
        options_((options.validate(), options)),
        learner_(named_parameters_of(policy), options.optimizer, options.schedule) {}

  /// A temporary would be gone before the first step: refused, with the sentence that says so.
  template <class Never = void>
  explicit SftTrainer(P&& policy, const SftOptions& options = {}) : SftTrainer(policy, options) {
    static_assert(!std::is_void_v<Never>,
                  "rlhf: SftTrainer borrows its policy: pass a variable that outlives the trainer, "
                  "not a temporary");
  }

  /// One optimizer step on a batch of demonstrations.
  /// @throws NonFinite on such a loss or gradient, unless it is to be skipped. No weight moves then
  SftStats step(const Completions& demonstrations) {
    const auto stats =
        trainer::or_skip(options_.on_non_finite, problem_, [&] { return learn(demonstrations); });
    return stats.value_or(SftStats::of_skipped_step());
  }

  /// Mean loss, nats a counted token, without learning.
  double evaluate(const Completions& demonstrations) {
    NoGrad no_grad;
    const double tokens = trainer::counted_tokens(demonstrations);
    double total = 0;
    for (const Completions& batch :
         trainer::micro_batches(demonstrations, options_.micro_batch_tokens)) {
      total += loss_of(batch, tokens).template item<double>();
    }
    return total;
  }

  /// Updates made.
  int64_t steps() const { return learner_.updates(); }
  /// What the last skipped step met.
  const std::string& problem() const { return problem_; }
  /// Policy, optimizer and options.
  void archive(Archive& archive) {
    archive.part("policy", policy_);
    archive.part("learner", learner_);
    archive.part("options", options_);
  }
  AdamW& optimizer() { return learner_.optimizer(); }

 private:
  SftStats learn(const Completions& demonstrations) {
    const double tokens = trainer::counted_tokens(demonstrations);
    learner_.begin();
    double total = 0;
    for (const Completions& batch :
         trainer::micro_batches(demonstrations, options_.micro_batch_tokens)) {
      const Tensor loss = loss_of(batch, tokens);
      loss.backward();
      total += loss.template item<double>();
    }
    const auto update = trainer::update(learner_, demonstrations, steps(), [&](int64_t row) {
      loss_of(select(demonstrations, int64_tensor({row})), tokens).backward();
    });
    return {.loss = total,
            .gradient_norm = update.gradient_norm,
            .learning_rate = update.learning_rate,
            .tokens = static_cast<int64_t>(tokens)};
  }

  Tensor loss_of(const Completions& batch, double denominator) {
    const Tensor mask = mask_of(batch);
    const Tensor log_probs = policy_.evaluate(batch, EvaluateOptions{}).log_probs;
    const Tensor loss = objective::negative_log_likelihood(log_probs, mask, denominator);
    trainer::require_finite_loss(loss, log_probs, mask, batch, "SFT loss", steps());
    return loss;
  }

  P& policy_;
  SftOptions options_;
  trainer::Learner learner_;
  std::string problem_;
};

}  // namespace rlhf
