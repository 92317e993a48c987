// A batch that goes through the model in parts gives the loss, the metrics and the weights of the
// batch as a whole, whatever the parts are.
#include <gtest/gtest.h>

#include "rlhf/model/actor_critic.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"
#include "support/cases.hpp"
#include "support/ragged.hpp"
#include "support/random_model.hpp"
#include "support/random_options.hpp"

namespace rlhf {
namespace {

/// Numbers of float64, so that rounding hides nothing: what is left of it, AdamW divides by
/// epsilon = 1e-5.
constexpr double float64_rounding = 1e-8;

CausalLM exact_model(Generator& generator) {
  CausalLM model(test::random_config(generator), generator);
  test::sharpen(model, 3.0);
  model.to(torch::kFloat64);
  return model;
}

template <class M>
void expect_same_weights(const M& whole, const M& parts) {
  const auto a = whole.named_parameters(), b = parts.named_parameters();
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_LT((a[i].second - b[i].second).abs().max().template item<double>(), float64_rounding)
        << a[i].first;
  }
}

void expect_same_metrics(const std::vector<Metric>& whole, const std::vector<Metric>& parts) {
  ASSERT_EQ(whole.size(), parts.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    if (whole[i].name == "tokens_per_second") continue;
    EXPECT_NEAR(whole[i].value, parts[i].value,
                float64_rounding * std::max(1.0, std::abs(whole[i].value)))
        << whole[i].name;
  }
}

TEST(MicroBatches, OfDemonstrationsChangeNothing) {
  test::for_each_case(4, [](Generator& generator) {
    const CausalLM model = exact_model(generator);
    const Completions batch =
        test::random_completions(generator, 1 + generator.below(6), model.vocab_size(), 9, 9);
    SftOptions options{.optimizer = test::random_adamw(generator),
                       .schedule = test::random_schedule(generator)};
    CausalLM whole = model.clone(), parts = model.clone();
    SftTrainer all{whole, options};
    options.micro_batch_tokens = 1 + generator.below(batch.token_count());
    SftTrainer some{parts, options};
    for (int step = 0; step < 2; ++step) {
      expect_same_metrics(all.step(batch).metrics(), some.step(batch).metrics());
    }
    expect_same_weights(whole, parts);
  });
}

TEST(MicroBatches, OfRankingsChangeNothing) {
  test::for_each_case(4, [](Generator& generator) {
    const CausalLM model = exact_model(generator);
    std::vector<int64_t> sizes, ranks;
    for (int64_t group = 1 + generator.below(4); group > 0; --group) {
      sizes.push_back(2 + generator.below(3));
      for (int64_t i = 0; i < sizes.back(); ++i) ranks.push_back(generator.below(3));
    }
    ranks[0] = 0;
    ranks[1] = 1;  // not all are tied
    const auto rows = static_cast<int64_t>(ranks.size());
    const bool ranked = generator.below(2) == 0;
    const Rankings rankings{
        .completions = test::random_completions(generator, rows, model.vocab_size(), 6, 9),
        .group_sizes = int64_tensor(sizes),
        .ranks = ranked ? std::optional(int64_tensor(ranks)) : std::nullopt};
    RewardOptions options{.optimizer = test::random_adamw(generator),
                          .schedule = test::random_schedule(generator),
                          .margin = test::one_of(generator, {0.0, 0.5})};
    RewardModel whole(model, generator);
    RewardModel parts = whole.clone();
    RewardTrainer all{whole, options};
    options.micro_batch_tokens = 1 + generator.below(rankings.completions.token_count());
    RewardTrainer some{parts, options};
    for (int step = 0; step < 2; ++step) {
      expect_same_metrics(all.step(rankings).metrics(), some.step(rankings).metrics());
    }
    expect_same_weights(whole, parts);
  });
}

/// The share of tokens below 10 among those of a response, as float64.
Tensor share_of_small_tokens(const Rollout& rollout) {
  std::vector<double> scores;
  for (const auto& response : responses_of(rollout.completions)) {
    const auto small = std::ranges::count_if(response, [](int64_t token) { return token < 10; });
    scores.push_back(static_cast<double>(small) / static_cast<double>(response.size()));
  }
  return torch::tensor(scores, torch::kFloat64);
}

TEST(MicroBatches, OfRolloutsChangeNothing) {
  test::for_each_case(4, [](Generator& generator) {
    CausalLM whole = exact_model(generator);
    CausalLM parts = whole.clone();
    const Frozen<CausalLM> reference{whole.clone()};
    ValueModel critic_of_whole(ScalarModel(whole.trunk(), 0.3, generator));
    ValueModel critic_of_parts = critic_of_whole.clone();
    const Completions prompts = prompts_of(
        test::random_completions(generator, 2 + generator.below(5), whole.vocab_size(), 9, 1));
    PpoOptions options = test::random_ppo(generator);
    const uint64_t seed = generator.bits();
    Generator first(seed), second(seed);
    auto reward = share_of_small_tokens;
    PpoTrainer all{whole, critic_of_whole, reward, reference, first, options};
    const Rollout rollout = all.rollout(prompts);
    options.micro_batch_tokens = 1 + generator.below(rollout.completions.token_count());
    PpoTrainer some{parts, critic_of_parts, reward, reference, second, options};
    // Both learn from one rollout: a token on the edge would make two of it.
    some.rollout(prompts);
    expect_same_metrics(all.learn(rollout).metrics(), some.learn(rollout).metrics());
    expect_same_weights(whole, parts);
    expect_same_weights(critic_of_whole, critic_of_parts);
  });
}

}  // namespace
}  // namespace rlhf
