/// Every trainer on a model small enough for every test, as a program that goes on where an earlier
/// one stopped, and what it leaves on the disk.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "rlhf/checkpoint/run.hpp"
#include "rlhf/data/loader.hpp"
#include "rlhf/io/crc32c.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/named_tensors.hpp"
#include "rlhf/model/actor_critic.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/report/history.hpp"
#include "rlhf/report/jsonl.hpp"
#include "rlhf/report/sinks.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/reward/shaping.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"
#include "rlhf/trainer/train.hpp"

namespace rlhf::test {

inline CausalLM tiny_model(uint64_t seed = 1, int64_t vocab = 11) {
  Generator generator(seed);
  return CausalLM({.vocab_size = vocab,
                   .dim = 16,
                   .hidden_dim = 32,
                   .layers = 2,
                   .heads = 2,
                   .context_length = 32},
                  generator);
}

inline Completions few_demonstrations() {
  return completions_from({{1, 2}, {3}, {4, 5, 6}, {7}, {2, 2}},
                          {{8, 9, 0}, {9, 0}, {8, 8, 8, 0}, {0}, {9, 9, 0}});
}

inline Rankings few_rankings() {
  return {.completions = completions_from(
              {{1, 2}, {1, 2}, {1, 2}, {3}, {3}, {4, 4}, {4, 4}},
              {{8, 0}, {9, 0}, {5, 5, 0}, {8, 0}, {9, 9, 9, 0}, {8, 8, 0}, {1, 0}}),
          .group_sizes = int64_tensor({3, 2, 2})};
}

inline Completions few_prompts() {
  return completions_from({{1, 2}, {3}, {4, 5, 6}, {7}, {1}, {2}, {3, 3}});
}

/// Share of token 8 in the response.
inline Tensor share_of_eights(const Rollout& rollout) {
  std::vector<float> scores;
  for (int64_t row = 0; row < rollout.completions.size(); ++row) {
    const auto response = rollout.completions.response(row);
    scores.push_back(static_cast<float>(std::ranges::count(response, 8)) /
                     static_cast<float>(response.size()));
  }
  return torch::tensor(scores);
}

/// A program: trains in the folder until so many steps are done.
using SmallRun = std::function<void(const std::filesystem::path&, int64_t steps, RunOptions)>;

/// Demonstrations, a schedule, and the history that a report is made of.
inline void run_sft(const std::filesystem::path& folder, int64_t steps, RunOptions options) {
  CausalLM policy = tiny_model();
  SftTrainer trainer{policy, SftOptions{.optimizer = {.learning_rate = 1e-2, .weight_decay = 0.1},
                                        .schedule = {.shape = Schedule::Shape::cosine,
                                                     .warmup_steps = 2,
                                                     .total_steps = 10}}};
  Loader loader{few_demonstrations(), {.batch_size = 2, .seed = 3}};
  MetricHistory history;
  Sinks metrics{JsonlSink{folder / "metrics.jsonl"}, std::ref(history)};
  Run run{
      folder, {{"trainer", trainer}, {"loader", loader}, {"metrics", metrics}}, std::move(options)};
  run.until(steps, [&](int64_t step) {
    metrics.log(step, trainer.step(loader.next()).metrics());
    require(std::ssize(history["loss"].values) == step, "steps in the history", step,
            std::ssize(history["loss"].values));
  });
}

/// Rankings through train(), with evaluations and the best weights.
inline void run_reward(const std::filesystem::path& folder, int64_t steps, RunOptions options) {
  if (steps == 0) return;  // train() takes one step at least
  Generator generator(1);
  RewardModel model(tiny_model(), generator);
  RewardTrainer trainer{model, RewardOptions{.optimizer = {.learning_rate = 1e-2}}};
  Loader loader{few_rankings(), {.batch_size = 2, .seed = 3}};
  JsonlSink metrics{folder / "metrics.jsonl", JsonlMode::append};
  Run run{
      folder, {{"trainer", trainer}, {"loader", loader}, {"metrics", metrics}}, std::move(options)};
  BestWeights best{model.named_parameters()};
  train(
      trainer, [&] { return loader.next(); },
      {.steps = steps, .evaluate_every = 2, .patience = 100}, metrics,
      [&] { return -trainer.evaluate(few_rankings()).loss; }, &best, &run);
}

/// All that PPO may remember: a critic that warms up, an adaptive KL coefficient, whitening.
inline PpoOptions small_ppo_options() {
  return {.sampling = {.temperature = 0.9,
                       .max_response_tokens = 6,
                       .end_tokens = {0},
                       .samples_per_prompt = 2},
          .kl = {.coefficient = 0.1, .target = 0.05, .horizon = 50},
          .value_coefficient = 1.0,
          .ptx_coefficient = 0.5,
          .whiten_rewards = true,
          .epochs = 2,
          .minibatches = 2,
          .critic_warmup_steps = 1,
          .policy_optimizer = {.learning_rate = 1e-2},
          .critic_optimizer = {.learning_rate = 1e-2}};
}

/// With a critic of its own, a reward normalised on the first policy's samples, a second loader.
/// @param after  called after each step
inline void run_watched_ppo(const std::filesystem::path& folder, int64_t steps, RunOptions options,
                            const std::function<void(int64_t)>& after,
                            const PpoOptions& ppo = small_ppo_options()) {
  Generator generator(5);
  CausalLM policy = tiny_model();
  Frozen<CausalLM> reference{policy.clone()};
  ValueModel critic{policy, generator};
  AnyReward reward = reward::normalise(
      share_of_eights, rollout::sample(policy, few_prompts(), ppo.sampling, generator));
  Loader loader{few_prompts(), {.batch_size = 3, .seed = 7}};
  Loader pretraining{few_demonstrations(), {.batch_size = 2, .seed = 8}};
  PpoTrainer trainer{
      policy, critic, reward, reference, generator, ppo, [&] { return pretraining.next(); }};
  JsonlSink metrics{folder / "metrics.jsonl"};
  Run run{folder,
          {{"trainer", trainer},
           {"prompts", loader},
           {"pretraining", pretraining},
           {"metrics", metrics}},
          std::move(options)};
  run.until(steps, [&](int64_t step) {
    const Rollout rollout = trainer.rollout(loader.next());
    auto stats = trainer.learn(rollout).metrics();
    const Tensor tokens = rollout.completions.tokens;
    const std::string_view bytes(static_cast<const char*>(tokens.const_data_ptr()),
                                 tokens.nbytes());
    stats.push_back({"sampled", static_cast<double>(io::crc32c(bytes))});
    metrics.log(step, stats);
    after(step);
  });
}

inline void run_ppo(const std::filesystem::path& folder, int64_t steps, RunOptions options) {
  run_watched_ppo(folder, steps, std::move(options), [](int64_t) {});
}

/// Policy and critic in one object, by the trainer's own step().
inline void run_actor_critic(const std::filesystem::path& folder, int64_t steps,
                             RunOptions options) {
  Generator generator(5);
  ActorCritic both{tiny_model()};
  Frozen<CausalLM> reference{tiny_model()};
  auto reward = share_of_eights;
  Loader loader{few_prompts(), {.token_budget = 4, .seed = 7}};
  PpoTrainer trainer{both,
                     both,
                     reward,
                     reference,
                     generator,
                     PpoOptions{.sampling = {.max_response_tokens = 4, .end_tokens = {0}},
                                .epochs = 1,
                                .minibatches = 2,
                                .policy_optimizer = {.learning_rate = 1e-2}}};
  JsonlSink metrics{folder / "metrics.jsonl"};
  Run run{folder,
          {{"trainer", trainer}, {"prompts", loader}, {"metrics", metrics}},
          std::move(options)};
  run.until(steps, [&](int64_t step) { metrics.log(step, trainer.step(loader.next()).metrics()); });
}

inline const std::map<std::string, SmallRun>& small_runs() {
  static const std::map<std::string, SmallRun> runs = {{"sft", run_sft},
                                                       {"reward", run_reward},
                                                       {"ppo", run_ppo},
                                                       {"actor_critic", run_actor_critic}};
  return runs;
}

/// The metrics without how long they took.
inline std::string without_times(std::string metrics) {
  constexpr std::string_view name = ",\"tokens_per_second\":";
  for (size_t at = metrics.find(name); at != metrics.npos; at = metrics.find(name, at)) {
    metrics.erase(at, metrics.find_first_of(",}", at + name.size()) - at);
  }
  return metrics;
}

/// All that a run leaves but the time it took: the newest checkpoint and the metrics.
inline std::string end_state(const std::filesystem::path& folder) {
  const Checkpoint last = checkpoint::load(folder / "latest");
  const std::string metrics = io::read_file(folder / "metrics.jsonl");
  nlohmann::json state = last.state;
  state["values"].erase("metrics/bytes");  // a rate may take more digits than another
  return io::fingerprint(last.tensors) + "\n" + state.dump(1) + "\n" + without_times(metrics);
}

}  // namespace rlhf::test
