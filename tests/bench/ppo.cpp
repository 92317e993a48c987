// PPO: 32 episodes of 16 + 48 tokens, four models, 4 epochs of 4 minibatches.
#include "rlhf/trainer/ppo.hpp"

#include <chrono>

#include "ending.hpp"
#include "jobs.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/reward/reward_model.hpp"

namespace bench {
namespace {

double seconds_since(std::chrono::steady_clock::time_point& last) {
  const auto now = std::chrono::steady_clock::now();
  return std::chrono::duration<double>(now - std::exchange(last, now)).count();
}

rlhf::PpoOptions ppo_options(std::vector<int64_t> end_tokens) {
  return {.sampling = {.max_response_tokens = response_tokens, .end_tokens = std::move(end_tokens)},
          .policy_optimizer = {.learning_rate = 1e-5},
          .critic_optimizer = {.learning_rate = 1e-5}};
}

/// The four models.
struct Models {
  explicit Models(const Setting& setting)
      : policy(setting.shape.config, generator),
        critic(policy, generator),
        reward(policy, generator),
        reference([&] {
          rlhf::CausalLM copy = policy.clone();
          copy.compute_in(setting.precision);
          return copy;
        }()) {
    policy.compute_in(setting.precision);
    policy.decode_in(setting.precision);
    critic.compute_in(setting.precision);
    reward.compute_in(setting.precision);
  }

  rlhf::Generator generator{1};
  rlhf::CausalLM policy;
  rlhf::ValueModel critic;
  rlhf::RewardModel reward;
  rlhf::Frozen<rlhf::CausalLM> reference;
};

/// `Policy` is the language model itself, or Ending around it.
template <class Policy>
class Ppo : public Job {
 public:
  Ppo(const Setting& setting, std::vector<int64_t> end_tokens)
      : shape_(setting.shape),
        batches_(setting.rows, batch_rows),
        models_(setting),
        policy_(models_.policy),
        trainer_(policy_, models_.critic, models_.reward, models_.reference, models_.generator,
                 ppo_options(std::move(end_tokens))) {}

  Work step() override {
    const auto rows = batches_.next();
    auto last = std::chrono::steady_clock::now();
    const rlhf::Rollout rollout = sample(rows);
    const double generate_s = seconds_since(last);
    const rlhf::Scored scored = trainer_.score(rollout);
    const double score_s = seconds_since(last);
    trainer_.update(trainer_.advantages(scored));
    return work(rollout.completions, generate_s, score_s, seconds_since(last));
  }

 private:
  rlhf::Rollout sample(std::span<const Row> rows) {
    if constexpr (std::is_same_v<Policy, Ending>) {
      std::vector<int64_t> lengths;
      for (const Row& row : rows) lengths.push_back(row.ends_after);
      policy_.end_after(lengths);
      rlhf::Rollout rollout = trainer_.rollout(completions_of(rows));
      rlhf::require(rlhf::int64_vector(rollout.completions.response_lengths) == lengths,
                    "response lengths", "those that were asked for", "others");
      return rollout;
    } else {
      return trainer_.rollout(completions_of(rows));
    }
  }

  Work work(const rlhf::Completions& episodes, double generate_s, double score_s,
            double train_s) const {
    const auto rows = static_cast<double>(episodes.size());
    const auto made = static_cast<double>(episodes.response_lengths.sum().item<int64_t>());
    const double policy = shape_.trunk(episodes, made) + shape_.output(made);
    const double critic = shape_.trunk(episodes, made), reward = shape_.trunk(episodes, rows);
    const rlhf::PpoOptions options = ppo_options({});
    const double learning =
        2 * shape_.trunk_learning(episodes, made) +
        shape_.output_learning(made / static_cast<double>(options.minibatches)) *
            static_cast<double>(options.minibatches);
    Work done{.units = rows};
    done.phases["generate"] = {generate_s, shape_.sampling(episodes)};
    done.phases["score"] = {score_s, 2 * policy + critic + reward};  // the reference is like policy
    done.phases["train"] = {train_s, static_cast<double>(options.epochs) * learning};
    for (const auto& [name, phase] : done.phases) done.operations += phase.operations;
    return done;
  }

  Shape shape_;
  Batches batches_;
  Models models_;
  std::conditional_t<std::is_same_v<Policy, Ending>, Ending, rlhf::CausalLM&> policy_;
  rlhf::PpoTrainer<Policy, rlhf::ValueModel, rlhf::RewardModel, rlhf::Frozen<rlhf::CausalLM>>
      trainer_;
};

}  // namespace

std::unique_ptr<Job> make_ppo(const Setting& setting) {
  return std::make_unique<Ppo<rlhf::CausalLM>>(setting, std::vector<int64_t>{});
}

std::unique_ptr<Job> make_ragged_ppo(const Setting& setting) {
  return std::make_unique<Ppo<Ending>>(setting, std::vector<int64_t>{end_token});
}

}  // namespace bench
