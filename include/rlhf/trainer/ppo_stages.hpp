/// The stages of PPO between the models: what needs no model type, so that it is compiled once.
#pragma once

#include <optional>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/core/rollout.hpp"
#include "rlhf/trainer/learner.hpp"
#include "rlhf/trainer/ppo_options.hpp"

namespace rlhf::trainer {

/// The fixed or adaptive KL coefficient.
class KlCoefficient {
 public:
  explicit KlCoefficient(const PpoKlOptions& options);
  double coefficient() const { return adaptive_ ? adaptive_->coefficient() : fixed_; }
  /// Does nothing where the coefficient is fixed.
  void update(double kl_per_sequence, int64_t episodes);
  void archive(Archive& archive) {
    if (adaptive_) adaptive_->archive(archive);
  }

 private:
  double fixed_;
  std::optional<objective::AdaptiveKl> adaptive_;
};

/// A reward as a part of a run.
template <class R>
struct Remembered {
  R& reward;
  void archive(Archive& archive) { archive_reward(reward, archive); }
};

/// The temperature of every pass: the sampler's, 1 where that is greedy.
double log_prob_temperature(const SamplingOptions& sampling);

/// Floating [B] on the tokens' device. @throws Error on another shape, or a score that is not
/// finite
Tensor checked_scores(const Tensor& scores, const Completions& completions, int64_t step);

/// @throws Error if the critic filled none
Tensor values_of(const TokenOutputs& outputs);
/// @throws Error if the policy filled none where it was asked to
Tensor entropy_of(const TokenOutputs& outputs);
/// @throws Error naming what a rollout that was sampled elsewhere lacks
void require_whole(const Rollout& rollout);

/// Results of parts of a batch as one, padded to the longest response of all.
TokenOutputs stack_rows(const std::vector<TokenOutputs>& parts, int64_t longest);

/// @throws Error naming the first log-probability or value that is not finite
void require_finite(const Scored& scored, int64_t step);
/// @throws NonFinite naming the first KL, reward, return or advantage that is not finite
void require_finite(const Experience& experience, int64_t step);

/// KL, per-token rewards, advantages and returns, whitened as the options say.
Experience advantages(const Scored& scored, const PpoOptions& options, double kl_coefficient);

/// What one minibatch did; losses are means over its tokens.
struct MinibatchLosses {
  double policy = 0, value = 0, ptx = 0;
  double approx_kl = 0, ratio_mean = 0, policy_clip_fraction = 0, value_clip_fraction = 0;
  std::optional<Learner::Update> policy_update = {}, critic_update = {};
};

/// Of one micro-batch: the clipped policy loss less the entropy bonus, divided by `tokens`; adds to
/// `losses`. @throws Error if it is not finite
Tensor policy_loss(const TokenOutputs& outputs, const Experience& batch, const PpoOptions& options,
                   double tokens, int64_t step, MinibatchLosses& losses);
/// The value loss times its coefficient, from outputs with values.
Tensor value_loss(const TokenOutputs& outputs, const Experience& batch, const PpoOptions& options,
                  double tokens, int64_t step, MinibatchLosses& losses);

/// Means over the minibatches of one update.
class UpdateMeans {
 public:
  void add(const MinibatchLosses& losses);
  void write_to(PpoStats& stats, bool critic_only) const;

 private:
  MinibatchLosses sums_;
  double policy_norm_ = 0, critic_norm_ = 0, learning_rate_ = 0;
  int64_t minibatches_ = 0, policy_updates_ = 0, critic_updates_ = 0;
};

/// The metrics of a rollout: everything that is known before the update.
PpoStats describe(const Experience& experience, double kl_coefficient);

}  // namespace rlhf::trainer
