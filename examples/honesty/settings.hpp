/// Every number of the job in one place; README.md says how they were chosen.
#pragma once

#include <cstdint>

#include "facts.hpp"
#include "rlhf/model/config.hpp"
#include "rlhf/reward/abstention.hpp"
#include "rlhf/trainer/ppo_options.hpp"

namespace honesty {

struct PretrainingSettings {
  int64_t epochs = 28;  ///< short pretraining leaves known and unknown hard to tell apart
  int64_t batch = 32;
  double learning_rate = 3e-3;
};

struct SftSettings {
  int64_t epochs = 6;
  int64_t batch = 32;
  double learning_rate = 5e-4;
  double abstention_rate = 0.15;       ///< of demonstrations, whatever the model could know
  int64_t mix_per_demonstration = 10;  ///< pretraining rows beside each, else it forgets
};

struct RewardSettings {
  int64_t known = 1000, unknown = 1000, made_up = 5000;  ///< questions with rankings
  int64_t samples = 4;                                   ///< of the SFT model, for each
  double temperature = 1.3;  ///< of these samples: malformed answers must be among them
  int64_t epochs = 3;
  int64_t batch = 16;
  double learning_rate = 2e-3;
};

/// What the policy is trained against.
enum class RewardSource : uint8_t {
  model,  ///< the reward model
  exact,  ///< the grade itself, looked up
};

struct ReinforcementSettings {
  int64_t steps = 250;
  int64_t episodes = 256;  ///< a step, half of them about known cities
  int64_t made_up = 3000;  ///< places asked about beside the unknown cities
  int64_t mix_rows = 64;   ///< pretraining rows in each minibatch
  int64_t evaluate_every = 10;
  RewardSource reward = RewardSource::model;
  rlhf::AbstentionScores exact_scores = {};
  rlhf::PpoOptions ppo = {
      .kl = {.coefficient = 0.1},
      .gae = {.lambda = 1.0},
      .value_clip = std::numeric_limits<double>::infinity(),
      .value_coefficient = 1.0,
      .ptx_coefficient = 2.0,
      .epochs = 2,
      .minibatches = 2,
      .critic_warmup_steps = 3,
      .policy_optimizer = {.learning_rate = 5e-4, .beta2 = 0.99},
      .critic_optimizer = {.learning_rate = 1e-3, .beta2 = 0.99},
      .policy_schedule = {.shape = rlhf::Schedule::Shape::linear,
                          .warmup_steps = 20,
                          .final_fraction = 0.1},  // its length is that of the run
  };
};

struct Settings {
  uint64_t seed = 1;
  SplitCounts splits = {};
  rlhf::TransformerConfig model = {
      .dim = 128, .hidden_dim = 344, .layers = 2, .heads = 4, .context_length = 64};
  PretrainingSettings pretraining = {};
  SftSettings sft = {};
  RewardSettings reward = {};
  ReinforcementSettings reinforcement = {};

  /// A third of the cities and shorter stages: within a minute, enough to show the direction.
  static Settings quick();
};

}  // namespace honesty
