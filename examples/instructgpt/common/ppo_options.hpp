/// The options that only PPO has.
#pragma once

#include "common/memory.hpp"
#include "common/options.hpp"
#include "common/tuning.hpp"
#include "rlhf/core/concepts.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/trainer/ppo_options.hpp"

namespace instructgpt {

/// What the critic starts as.
enum class CriticStart : uint8_t { reward_model, policy };

struct PpoCommandOptions {
  std::filesystem::path policy, reward_model, ptx_train;
  RunOptions run;
  DataOptions data;
  LoopOptions loop{.epochs = 1, .batch_size = 512};
  TuningOptions tuning;
  OptimizerOptions optimizer{.adamw = {.learning_rate = 9e-6, .beta2 = 0.95},
                             .schedule = {.warmup_steps = 10, .final_fraction = 0.1}};
  double critic_learning_rate = 9e-6;
  CriticStart critic = CriticStart::reward_model;
  std::optional<double> missing_eos_score;
  double reward_clip = 0.0;
  int64_t ptx_batch_size = 64;
  rlhf::PpoOptions ppo{.sampling = {.max_response_tokens = 53},
                       .kl = {.coefficient = 0.02},
                       .epochs = 1,
                       .minibatches = 8};

  void add_to(Program& program);

  /// @throws rlhf::Error naming the option by which models of these shapes cannot learn
  void require_fits(const rlhf::TransformerConfig& policy_shape,
                    const rlhf::TransformerConfig& reward_shape) const;
  /// @param evaluated  prompts that are sampled from at a time to evaluate
  MemoryTable memory_of(const rlhf::TransformerConfig& policy_shape,
                        const rlhf::TransformerConfig& reward_shape,
                        const rlhf::Completions& prompts, int64_t evaluated) const;
  /// The critic, as it starts: a model of its own, or with adapters a view.
  rlhf::ValueModel critic_of(const rlhf::CausalLM& policy, rlhf::RewardModel& reward,
                             rlhf::Generator& generator) const;

  /// Prompts in a step.
  /// @throws rlhf::Error if the samples of a prompt do not fill the batch evenly
  int64_t prompts_a_step() const;
  /// Data options whose max_tokens leaves room for the response.
  /// @throws rlhf::Error if the context has none
  DataOptions data_within(int64_t context_length) const;
  rlhf::PpoOptions ppo_over(int64_t steps, std::vector<int64_t> end_tokens) const;
  /// The reward model, borrowed, and what the options make of its scores.
  rlhf::AnyReward reward_of(rlhf::RewardModel& model) const;
};

}  // namespace instructgpt
