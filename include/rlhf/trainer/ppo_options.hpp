/// Every option of PPO, and what one step of it reports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/core/non_finite.hpp"
#include "rlhf/objective/advantages.hpp"
#include "rlhf/objective/kl.hpp"
#include "rlhf/objective/ppo.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "rlhf/optimizer/schedule.hpp"
#include "rlhf/rollout/sampling.hpp"

namespace rlhf {

/// How the policy is held to the reference.
struct PpoKlOptions {
  double coefficient = 0.05;  ///< nats of KL are worth this much reward; 0: no penalty
  objective::KlEstimator estimator = objective::KlEstimator::k1;
  double target = 0.0;       ///< > 0: the coefficient adapts towards this KL a sequence; 0: fixed
  double horizon = 10000.0;  ///< episodes over which it adapts (Ziegler et al. 2019)
  double early_stop =
      0.0;  ///< > 0: an update ends once a minibatch's approx_kl exceeds it; 0: never
};

/// Defaults follow Ziegler et al. 2019 and Huang et al. 2024 (arXiv 2403.17031).
struct PpoOptions {
  SamplingOptions sampling = {};
  PpoKlOptions kl = {};
  objective::GaeOptions gae = {};
  objective::PpoClip clip = {};
  double value_clip = 0.2;           ///< infinity: no clip
  double value_coefficient = 0.1;    ///< of the value loss, beside the policy loss
  double entropy_coefficient = 0.0;  ///< bonus for entropy; 0: none
  double ptx_coefficient = 0.0;      ///< of the pretraining loss in each minibatch (PPO-ptx)
  bool whiten_rewards = false;       ///< scale per-token rewards to variance 1, mean kept
  bool whiten_advantages = true;     ///< over the whole rollout
  int64_t epochs = 4;                ///< passes over a rollout
  int64_t minibatches = 4;           ///< optimizer steps a pass
  int64_t critic_warmup_steps = 0;   ///< first steps, in which the critic alone learns
  int64_t micro_batch_tokens = 0;  ///< tokens in one pass, 0: a whole minibatch; no result changes
  /// skip: a rollout with a bad score, log-probability, value or advantage teaches nothing; of an
  /// update, the minibatch with a bad loss or gradient alone is left out. Sampling always stops.
  OnNonFinite on_non_finite = OnNonFinite::stop;
  AdamWOptions policy_optimizer = {};
  AdamWOptions critic_optimizer = {};  ///< unused where policy and critic are one object
  Schedule policy_schedule = {};       ///< by optimizer step of the policy
  Schedule critic_schedule = {};

  /// @throws Error naming the field
  void validate() const;
  void archive(Archive& archive) const;
};

/// What one step of PPO did; the table in include/rlhf/README.md defines each.
struct PpoStats {
  double reward = 0;  ///< mean over sequences of the sum of per-token rewards
  double score_mean = 0;
  double score_std = 0;
  double kl_k1 = 0;  ///< nats a sequence, to the reference
  double kl_k3 = 0;  ///< the same by the estimator that is never negative
  double kl_coefficient = 0;
  double entropy = 0;  ///< nats a token, when the rollout was scored
  double policy_loss = 0;
  double value_loss = 0;
  double ptx_loss = 0;   ///< nats a token
  double approx_kl = 0;  ///< nats a token, of the update itself
  double ratio_mean = 0;
  double policy_clip_fraction = 0;
  double value_clip_fraction = 0;
  double explained_variance = 0;
  double policy_gradient_norm = 0;
  double critic_gradient_norm = 0;
  double policy_learning_rate = 0;
  double response_length = 0;    ///< tokens
  double eos_share = 0;          ///< responses that ended by themselves
  double sampler_gap = 0;        ///< largest |sampler's - policy's| log-probability of a token
  double tokens_per_second = 0;  ///< prompt and response tokens of the rollout over the step's time
  int64_t policy_updates = 0;    ///< optimizer steps; fewer than planned after an early stop
  int64_t skipped = 0;           ///< minibatches left out as a number was not finite

  std::vector<Metric> metrics() const;
  /// What somebody who trains would want to be told, a sentence each.
  std::vector<std::string> warnings() const;
  /// NaN for what is not known.
  static PpoStats of_skipped_step(int64_t minibatches);
};

}  // namespace rlhf
