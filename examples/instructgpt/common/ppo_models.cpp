#include "common/ppo_options.hpp"
#include "rlhf/core/error.hpp"

namespace instructgpt {

using rlhf::TransformerConfig;
using rlhf::model::MemoryEstimate;
using rlhf::model::MemoryPlan;

void PpoCommandOptions::require_fits(const TransformerConfig& policy_shape,
                                     const TransformerConfig& reward_shape) const {
  tuning.require_fits(policy_shape, policy.string());
  if (critic == CriticStart::reward_model) tuning.require_fits(reward_shape, reward_model.string());
}

MemoryTable PpoCommandOptions::memory_of(const TransformerConfig& policy_shape,
                                         const TransformerConfig& reward_shape,
                                         const rlhf::Completions& prompts,
                                         int64_t evaluated) const {
  const bool from_reward = critic == CriticStart::reward_model;
  const int64_t response = ppo.sampling.max_response_tokens,
                samples = ppo.sampling.samples_per_prompt;
  const int64_t minibatch = (loop.batch_size + ppo.minibatches - 1) / ppo.minibatches;
  const rlhf::Tensor lengths =
      (prompts.prompt_lengths + response).repeat_interleave(std::min(samples, minibatch));
  const LargestPass pass = largest_pass(lengths, minibatch, loop.micro_batch_tokens);
  MemoryPlan plan = tuning.memory_plan(run.precision);
  plan.remembered_tokens = int64_t{1} << 40;  // rollouts without end
  plan.pass_tokens = pass.tokens;
  plan.pass_outputs = std::min(pass.tokens, pass.sequences * response);
  plan.passes = pass.passes;
  MemoryPlan critic_plan = plan;
  critic_plan.head = rlhf::model::Head::scalar;
  const MemoryEstimate critic_estimate =
      estimate_memory(from_reward ? reward_shape : policy_shape, critic_plan);
  // The rows of a rollout, sampled at a time.
  plan.cache_rows = std::max(loop.batch_size, evaluated * samples);
  plan.prompt_tokens = longest_together(prompts.prompt_lengths, plan.cache_rows / samples);
  plan.cache_tokens = longest_together(prompts.prompt_lengths, 1) + response;
  if (!ptx_train.empty()) {
    int64_t tokens = ptx_batch_size * data.within(policy_shape.context_length, "").max_tokens;
    if (loop.micro_batch_tokens > 0) tokens = std::min(tokens, loop.micro_batch_tokens);
    plan.pass_tokens = std::max(plan.pass_tokens, tokens);
    plan.pass_outputs = std::max(plan.pass_outputs, tokens);
    plan.passes = std::max<int64_t>(plan.passes, 2);
  }
  const MemoryEstimate policy_estimate = estimate_memory(policy_shape, plan);

  MemoryTable table;
  table.add("policy", policy_estimate);
  if (loop.keep_best) table.add("policy: best weights so far", policy_estimate.moments / 2);
  table.add("reference: weights", policy_estimate.weights - policy_estimate.shared_weights);
  MemoryPlan only_scores{.head = rlhf::model::Head::scalar};
  table.add("reward model", estimate_memory(reward_shape, only_scores));
  MemoryEstimate learner = critic_estimate;  // what it shares with the model that it starts as
  learner.weights -= learner.shared_weights;
  learner.merged_copy = 0;
  if (!from_reward) learner.frozen_states = learner.packed_weights = 0;
  table.add("critic", learner);
  return table;
}

rlhf::ValueModel PpoCommandOptions::critic_of(const rlhf::CausalLM& policy_model,
                                              rlhf::RewardModel& reward,
                                              rlhf::Generator& generator) const {
  if (critic == CriticStart::policy) {
    if (!tuning.has_lora()) return {policy_model, generator};
    return rlhf::ValueModel(
        {policy_model.trunk().with_adapters(tuning.lora(), generator), 0.0, generator});
  }
  tuning.prepare(reward.scalar().trunk());
  if (!tuning.has_lora()) return reward.value_model();
  return rlhf::ValueModel(reward.scalar().with_adapters(tuning.lora(), generator));
}

}  // namespace instructgpt
