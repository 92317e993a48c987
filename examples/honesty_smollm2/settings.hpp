/// Every number of the job in one place; README.md says how they were chosen.
#pragma once

#include <cstdint>
#include <limits>

#include "rlhf/model/lora.hpp"
#include "rlhf/model/precision.hpp"
#include "rlhf/reward/abstention.hpp"
#include "rlhf/trainer/ppo_options.hpp"

namespace honesty_smollm2 {

/// How many places of each kind a purpose gets.
struct Counts {
  int64_t large, middle, small, invented;
};

struct SplitSettings {
  int64_t large_ranks = 600;   ///< by population: the cities that a model has often read of
  int64_t small_ranks = 2500;  ///< the last so many: those that it has hardly read of
  Counts demonstrations = {180, 60, 60, 0};
  Counts practice = {210, 740, 400, 1500};
  Counts validation = {60, 0, 40, 40};
  Counts test = {150, 0, 100, 100};
};

struct SftSettings {
  int64_t epochs = 2;
  int64_t batch = 16;
  double learning_rate = 3e-4;
  double abstention_rate = 0.1;  ///< of demonstrations, whatever the model could know
};

struct RewardSettings {
  int64_t known = 150, unknown = 150, invented = 150;  ///< questions of practice, with rankings
  int64_t samples = 2;                                 ///< of the SFT model, for each
  double temperature = 1.3;                            ///< of these samples
  int64_t epochs = 1;
  int64_t batch = 8;  ///< questions
  double learning_rate = 1e-3;
};

struct ReinforcementSettings {
  int64_t steps = 36;
  int64_t known = 64, unknown = 32, invented = 32;  ///< questions a step
  int64_t evaluate_every = 5;
  rlhf::AbstentionScores exact_scores = {};  ///< where the grade itself is the reward
  rlhf::PpoOptions ppo = {
      .sampling = {.temperature = 0.6, .samples_per_prompt = 2},
      .kl = {.coefficient = 0.05},
      .gae = {.lambda = 1.0},
      .value_clip = std::numeric_limits<double>::infinity(),
      .value_coefficient = 1.0,
      .epochs = 2,
      .minibatches = 2,
      .critic_warmup_steps = 2,
      .policy_optimizer = {.learning_rate = 2e-4, .beta2 = 0.99},
      .critic_optimizer = {.learning_rate = 1e-3, .beta2 = 0.99},
      .policy_schedule = {.shape = rlhf::Schedule::Shape::linear,
                          .warmup_steps = 4,
                          .final_fraction = 0.1},  // its length is that of the run
  };
};

struct Settings {
  uint64_t seed = 1;
  rlhf::Precision precision = rlhf::Precision::float32;
  SplitSettings splits = {};
  int64_t frozen_layers = 20;  ///< of 30: run once a sequence, for all four models
  rlhf::LoraOptions lora = {.rank = 16, .alpha = 32, .first_layer = 20};
  int64_t micro_batch_tokens = 1536;
  SftSettings sft = {};
  RewardSettings reward = {};
  ReinforcementSettings reinforcement = {};

  /// Fewer questions and steps: within minutes, enough to show the direction.
  static Settings quick();
};

}  // namespace honesty_smollm2
