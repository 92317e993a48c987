/// Every number of the run in one place. Sizes and PPO's batches are InstructGPT's.
#pragma once

#include <cstdint>

#include "rlhf/model/config.hpp"
#include "rlhf/trainer/ppo_options.hpp"

namespace scale {

struct Settings {
  int64_t corpus = 2'000;  ///< short texts, read before all else: half of the facts are learnt
  int64_t demonstrations = 13'000;
  int64_t rankings = 33'000;
  int64_t prompts = 31'000;
  int64_t episodes = 256'000;
  int64_t held_out = 1'000;  ///< questions that the answers are graded on

  /// The shape `tiny` of tests/bench.
  rlhf::TransformerConfig model = {.vocab_size = 512,
                                   .dim = 64,
                                   .hidden_dim = 172,
                                   .layers = 5,
                                   .heads = 8,
                                   .kv_heads = 4,
                                   .context_length = 64};

  int64_t corpus_batch = 32;
  double corpus_learning_rate = 4e-3;

  int64_t sft_batch = 16;
  double sft_learning_rate = 2e-3;

  int64_t fewest_ranked = 4, most_ranked = 9;  ///< responses K of a ranking
  double ranked_temperature = 1.3;  ///< of their samples: malformed ones must be among them
  int64_t reward_batch = 16;        ///< rankings
  double reward_learning_rate = 2e-3;

  int64_t ppo_batch = 512;     ///< episodes
  int64_t examine_every = 50;  ///< PPO steps
  rlhf::PpoOptions ppo = {
      .kl = {.coefficient = 0.05},
      .value_coefficient = 1.0,
      .epochs = 1,
      .minibatches = 8,
      .policy_optimizer = {.learning_rate = 3e-4},
      .critic_optimizer = {.learning_rate = 1e-3},
  };

  /// This share of examples. @throws rlhf::Error unless it is in (0, 1]
  static Settings at(double share);
  /// A 64th of them in smaller batches: within seconds, enough to show the direction.
  static Settings quick();
};

}  // namespace scale
