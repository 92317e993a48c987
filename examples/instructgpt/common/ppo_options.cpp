#include "common/ppo_options.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"
#include "rlhf/reward/shaping.hpp"

namespace instructgpt {

using rlhf::require;

void PpoCommandOptions::add_to(Program& program) {
  Group models = program.group("Models");
  models.add("--policy", policy, "folder of the model to train, as sft makes it", "no default")
      ->required()
      ->check(CLI::ExistingDirectory);
  models
      .add("--reward-model", reward_model,
           "folder of the model that scores, as reward_model makes it", "no default")
      ->required()
      ->check(CLI::ExistingDirectory);
  models.choice("--critic", critic,
                {{"reward-model", CriticStart::reward_model}, {"policy", CriticStart::policy}},
                "what the critic starts as: the reward model, or the policy with a new head of 0",
                "Ouyang 2022; policy: Ziegler 2019");
  run.add_to(program);
  data.add_to(program, "prompt", "of a prompt; 0: as many as leave room for --response-tokens");
  loop.add_to(program, {.epochs = "Ouyang 2022",
                        .batch_size = "Ouyang 2022",
                        .batch_help = "responses sampled in a step"});
  tuning.add_to(program);

  Group sampling = program.group("Sampling");
  sampling
      .add("--response-tokens", ppo.sampling.max_response_tokens, "a response this long is cut off",
           "TRL: response_length; Huang 2024")
      ->check(CLI::PositiveNumber);
  sampling
      .add("--samples-per-prompt", ppo.sampling.samples_per_prompt, "responses to a prompt",
           "TRL: 1")
      ->check(CLI::PositiveNumber);
  sampling.add("--temperature", ppo.sampling.temperature, "of sampling and of all probabilities",
               "Ouyang 2022; TRL: 0.7");
  sampling.add("--top-p", ppo.sampling.top_p, "draw among the fewest that hold so much", "rlhf");
  sampling.add("--top-k", ppo.sampling.top_k, "draw among so many; 0: all", "TRL: 0");

  Group reward = program.group("Reward");
  reward.add("--kl-coefficient", ppo.kl.coefficient, "what a nat of KL to --policy costs",
             "Ouyang 2022; TRL: 0.05");
  using rlhf::objective::KlEstimator;
  reward.choice("--kl-estimator", ppo.kl.estimator,
                {{"k1", KlEstimator::k1},
                 {"abs", KlEstimator::abs},
                 {"k2", KlEstimator::k2},
                 {"k3", KlEstimator::k3}},
                "of the KL that is charged", "TRL");
  reward.add("--kl-target", ppo.kl.target,
             "nats a sequence that the coefficient adapts to; 0: it stays", "Ouyang 2022: fixed");
  reward.add("--kl-horizon", ppo.kl.horizon, "responses over which it adapts", "Ziegler 2019");
  reward.add("--missing-eos-score", missing_eos_score,
             "score of a response that was cut off; none: as the reward model says",
             "none, as TRL; Huang 2024: -1");
  reward
      .add("--reward-clip", reward_clip, "scores lie within plus and minus this; 0: anywhere",
           "off, as TRL; DeepSpeed-Chat: 5")
      ->check(CLI::NonNegativeNumber);
  reward.flag("--whiten-rewards", ppo.whiten_rewards,
              "scale the rewards of tokens to variance 1, their mean kept", "off, as TRL");
  reward.add("--gamma", ppo.gae.gamma, "discount", "Ouyang 2022: none");
  reward.add("--lambda", ppo.gae.lambda, "of generalised advantages", "Ziegler 2019; TRL");

  Group update = program.group("PPO");
  update.add("--ppo-epochs", ppo.epochs, "passes over a batch of responses", "Ouyang 2022; TRL: 4");
  update.add("--minibatches", ppo.minibatches, "optimizer steps in a pass",
             "Ouyang 2022: 512 / 64; TRL: 1");
  update.add("--clip", ppo.clip.low, "of the ratio, to both sides", "Ouyang 2022; TRL");
  update.add("--value-clip", ppo.value_clip, "of the value's change", "Ziegler 2019; TRL");
  update.add("--value-coefficient", ppo.value_coefficient, "of the value loss",
             "Ziegler 2019; TRL");
  update.add("--entropy-coefficient", ppo.entropy_coefficient, "bonus for entropy", "off, as TRL");
  update.add("--kl-early-stop", ppo.kl.early_stop,
             "an update ends once it has moved the policy by so many nats a token; 0: never",
             "rlhf");
  update.add("--critic-warmup-steps", ppo.critic_warmup_steps,
             "first steps in which the critic alone learns", "rlhf");
  update.add("--critic-learning-rate", critic_learning_rate, "of AdamW for the critic",
             "Ouyang 2022, appendix C.4");
  update
      .add("--ptx-train", ptx_train,
           "JSONL of text or demonstrations whose loss joins each minibatch",
           "none: PPO, not PPO-ptx")
      ->check(CLI::ExistingFile);
  update.add("--ptx-coefficient", ppo.ptx_coefficient, "of that loss; above 0 with --ptx-train",
             "0; Ouyang 2022: 27.8");
  update
      .add("--ptx-batch-size", ptx_batch_size, "its rows in a minibatch",
           "rlhf: as many as responses")
      ->check(CLI::PositiveNumber);
  optimizer.add_to(program, {.learning_rate = "Ouyang 2022, appendix C.4; TRL: 3e-6",
                             .schedule = "Ouyang 2022, appendix C.4, in steps of PPO"});
}

int64_t PpoCommandOptions::prompts_a_step() const {
  const int64_t samples = ppo.sampling.samples_per_prompt;
  require(loop.batch_size % samples == 0, "--batch-size",
          fmt::format("a multiple of --samples-per-prompt, {}", samples), loop.batch_size);
  return loop.batch_size / samples;
}

DataOptions PpoCommandOptions::data_within(int64_t context_length) const {
  const int64_t room = context_length - ppo.sampling.max_response_tokens;
  require(room >= 1, "--response-tokens", fmt::format("< {}, the policy's context", context_length),
          ppo.sampling.max_response_tokens);
  return data.within(room, "the policy's context less --response-tokens");
}

rlhf::PpoOptions PpoCommandOptions::ppo_over(int64_t steps, std::vector<int64_t> end_tokens) const {
  require(!end_tokens.empty(), "end tokens of the tokenizer", "at least one (eos_token)", "none");
  rlhf::PpoOptions options = ppo;
  options.sampling.end_tokens = std::move(end_tokens);
  options.clip.high = options.clip.low;
  options.micro_batch_tokens = loop.micro_batch_tokens;
  options.policy_optimizer = optimizer.adamw;
  options.critic_optimizer = optimizer.adamw;
  options.critic_optimizer.learning_rate = critic_learning_rate;
  // A schedule counts optimizer steps.
  const int64_t updates = ppo.epochs * ppo.minibatches;
  options.policy_schedule = optimizer.schedule_over(steps * updates);
  options.policy_schedule.warmup_steps *= updates;
  options.critic_schedule = options.policy_schedule;
  options.validate();
  return options;
}

rlhf::AnyReward PpoCommandOptions::reward_of(rlhf::RewardModel& model) const {
  rlhf::AnyReward reward = std::ref(model);
  if (reward_clip > 0) reward = rlhf::reward::clip(std::move(reward), -reward_clip, reward_clip);
  if (missing_eos_score) reward = rlhf::reward::missing_eos(std::move(reward), *missing_eos_score);
  return reward;
}

}  // namespace instructgpt
