// What a sequence gives does not depend on which others are in its batch, or on their order.
#include <gtest/gtest.h>

#include "rlhf/model/actor_critic.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/rollout/sample.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"

namespace rlhf {
namespace {

// Rounding alone: of products whose numbers are added in another order.
constexpr double float32_rounding = 2e-5;

double distance(const Tensor& a, const Tensor& b) {
  return a.numel() == 0 ? 0.0 : (a - b).abs().max().item<double>();
}

/// Log-probabilities, entropies and values of some rows by every model that gives one a token, and
/// the reward model's scores.
struct Models {
  CausalLM policy;
  ValueModel critic;
  RewardModel reward;

  explicit Models(Generator& generator)
      : policy(test::random_config(generator), generator),
        critic(ScalarModel(policy.trunk(), 0.3, generator)),
        reward(policy, generator) {
    test::sharpen(policy, 6.0);
  }

  /// [4, B, T]
  Tensor of(const Completions& batch, double temperature) const {
    const TokenOutputs outputs =
        policy.evaluate(batch, {.temperature = temperature, .entropy = true});
    const Tensor values = *critic.evaluate(batch).values;
    const Tensor scores = reward.score(batch).unsqueeze(1).expand_as(values);
    return torch::stack({outputs.log_probs, *outputs.entropy, values, scores});
  }
};

TEST(BatchInvariance, OrderAndNeighboursChangeNothing) {
  test::for_each_case(6, [](Generator& generator) {
    NoGrad no_grad;
    const Models models(generator);
    const Completions batch = test::random_batch(models.policy.vocab_size(), generator);
    const double temperature = 0.5 + generator.uniform();
    const Tensor whole = models.of(batch, temperature);
    // Some of the rows, some of them twice, in another order.
    std::vector<int64_t> rows;
    for (int64_t i = 1 + generator.below(2 * batch.size()); i > 0; --i) {
      rows.push_back(generator.below(batch.size()));
    }
    rows.push_back(batch.size() - 1);  // which has a response
    const Completions others = select(batch, torch::tensor(rows));
    const Tensor chosen = models.of(others, temperature);
    for (size_t i = 0; i < rows.size(); ++i) {
      const int64_t length = static_cast<int64_t>(batch.response(rows[i]).size());
      const auto place = static_cast<int64_t>(i);
      EXPECT_LT(distance(chosen.select(1, place).narrow(1, 0, length),
                         whole.select(1, rows[i]).narrow(1, 0, length)),
                float32_rounding);
    }
  });
}

TEST(PackedSequences, GiveWhatEachGivesAlone) {
  test::for_each_case(6, [](Generator& generator) {
    NoGrad no_grad;
    const Models models(generator);
    const Completions batch = test::random_batch(models.policy.vocab_size(), generator);
    const Tensor packed = models.of(batch, 1.0);
    for (int64_t row = 0; row < batch.size(); ++row) {
      const Completions one = select(batch, torch::tensor({row}));
      const int64_t length = one.longest_response();
      if (length == 0) continue;
      const Tensor alone = models.of(one, 1.0);
      EXPECT_LT(distance(alone.select(1, 0), packed.select(1, row).narrow(1, 0, length)),
                float32_rounding);
      // Behind a response stands nothing, in every row but that of the scores.
      const Tensor padding =
          packed.narrow(0, 0, 3).select(1, row).narrow(1, length, packed.size(2) - length);
      EXPECT_EQ(padding.abs().sum().item<double>(), 0.0);
    }
  });
}

TEST(PackedSequences, GiveTheSumOfTheGradientsOfEachAlone) {
  test::for_each_case(6, [](Generator& generator) {
    const TransformerConfig config = test::random_config(generator);
    CausalLM packed(config, generator);
    test::sharpen(packed, 4.0);
    const CausalLM alone = packed.clone();
    const Completions batch = test::random_batch(config.vocab_size, generator);
    packed.evaluate(batch).log_probs.sum().backward();
    for (int64_t row = 0; row < batch.size(); ++row) {
      const Completions one = select(batch, torch::tensor({row}));
      if (one.longest_response() > 0) alone.evaluate(one).log_probs.sum().backward();
    }
    const auto together = packed.named_parameters(), apart = alone.named_parameters();
    for (size_t i = 0; i < together.size(); ++i) {
      const Tensor &a = together[i].second.grad(), &b = apart[i].second.grad();
      const double size = std::max(1.0, b.abs().max().item<double>());
      EXPECT_LT(distance(a, b) / size, float32_rounding) << together[i].first;
    }
  });
}

TEST(Sampling, GivesAResponseWhateverItsNeighboursAre) {
  test::for_each_case(6, [](Generator& generator) {
    NoGrad no_grad;
    CausalLM policy(test::random_config(generator), generator);
    test::sharpen(policy, 4.0);
    Completions prompts = prompts_of(test::random_batch(policy.vocab_size(), generator));
    prompts.ids = generator.permutation(prompts.size()) + 10;
    const SamplingOptions options{.temperature = 0.5 + generator.uniform(),
                                  .top_k = generator.below(3) * 5,
                                  .top_p = generator.below(2) == 0 ? 1.0 : 0.8,
                                  .max_response_tokens = 1 + generator.below(20),
                                  .end_tokens = {0, 1},
                                  .samples_per_prompt = 1 + generator.below(3)};
    const uint64_t seed = generator.bits();
    Generator together(seed);
    const Rollout all = rollout::sample(policy, prompts, options, together);
    for (int64_t row = 0; row < prompts.size(); ++row) {
      Generator apart(seed);
      const Rollout one =
          rollout::sample(policy, select(prompts, torch::tensor({row})), options, apart);
      for (int64_t sample = 0; sample < options.samples_per_prompt; ++sample) {
        EXPECT_EQ(one.completions.response(sample),
                  all.completions.response(row * options.samples_per_prompt + sample));
      }
    }
  });
}

}  // namespace
}  // namespace rlhf
