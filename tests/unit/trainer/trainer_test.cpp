#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/model/actor_critic.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"
#include "rlhf/trainer/train.hpp"
#include "support/error_of.hpp"
#include "support/trainer_world.hpp"

namespace rlhf {
namespace {

using test::demonstrations;
using test::distance;
using test::error_of;
using test::message_of;
using test::PpoWorld;
using test::rankings;
using test::share_of_eights;
using test::tiny_model;
using testing::AllOf;
using testing::HasSubstr;

TEST(SftTrainer, LearnsDemonstrations) {
  CausalLM model = tiny_model();
  SftTrainer trainer{model, SftOptions{.optimizer = {.learning_rate = 1e-2}}};
  const double before = trainer.evaluate(demonstrations());
  EXPECT_NEAR(before, std::log(11), 0.1);  // nothing learnt: uniform
  for (int i = 0; i < 60; ++i) trainer.step(demonstrations());
  EXPECT_LT(trainer.evaluate(demonstrations()), 0.1);
}

TEST(SftTrainer, MicroBatchesChangeNothing) {
  CausalLM whole = tiny_model(), parts = tiny_model();
  SftTrainer a{whole}, b{parts, SftOptions{.micro_batch_tokens = 4}};
  for (int i = 0; i < 3; ++i) {
    const SftStats x = a.step(demonstrations()), y = b.step(demonstrations());
    EXPECT_NEAR(x.loss, y.loss, 1e-6);
    EXPECT_NEAR(x.gradient_norm, y.gradient_norm, 1e-5);
  }
  EXPECT_LT(distance(whole, parts), 1e-6);
}

TEST(SftTrainer, UncountedTokensTeachNothing) {
  CausalLM model = tiny_model();
  Completions batch = demonstrations();
  batch.counted = torch::zeros({10}, torch::kBool);
  SftTrainer trainer{model};
  EXPECT_THAT(error_of([&] { trainer.step(batch); }),
              HasSubstr("counted response tokens of sequence 0"));
}

TEST(RewardTrainer, LearnsRankingsAndMicroBatchesChangeNothing) {
  Generator generator(1);
  RewardModel whole(tiny_model(), generator);
  RewardModel parts = whole.clone();
  const RewardOptions options{.optimizer = {.learning_rate = 1e-3}};
  RewardOptions small = options;
  small.micro_batch_tokens = 3;
  RewardTrainer a{whole, options}, b{parts, small};
  for (int i = 0; i < 3; ++i) {
    const RewardStats x = a.step(rankings()), y = b.step(rankings());
    EXPECT_NEAR(x.loss, y.loss, 1e-6);
  }
  EXPECT_LT(distance(whole, parts), 2e-6);
  for (int i = 0; i < 100; ++i) a.step(rankings());
  EXPECT_EQ(a.evaluate(rankings()).accuracy, 1.0);
  EXPECT_LT(a.evaluate(rankings()).loss, 0.1);
}

TEST(RewardTrainer, LearnsNothingFromTiesAlone) {
  Generator generator(1);
  RewardModel model(tiny_model(), generator);
  RewardTrainer trainer{model};
  Rankings tied = rankings();
  tied.ranks = int64_tensor({0, 0, 0, 1, 1});
  EXPECT_EQ(message_of([&] { trainer.step(tied); }),
            "groups of a batch of rankings in which one response is better: expected >= 1, got 2 "
            "groups of nothing but ties");
  EXPECT_EQ(trainer.steps(), 0);
  EXPECT_EQ(trainer.evaluate(tied).groups, 0);
  tied.ranks = int64_tensor({0, 0, 0, 0, 1});
  EXPECT_EQ(trainer.step(tied).groups, 1) << "one group that is not tied is enough";
}

TEST(PpoTrainer, RatioIsOneBeforeTheFirstUpdate) {
  PpoWorld w;
  PpoOptions options = PpoWorld::options();
  options.epochs = options.minibatches = 1;
  PpoTrainer trainer{w.policy, w.critic, w.reward, w.reference, w.generator, options};
  const PpoStats stats = trainer.step(w.prompts);
  EXPECT_NEAR(stats.ratio_mean, 1.0, 1e-5);
  EXPECT_NEAR(stats.approx_kl, 0.0, 1e-10);
  EXPECT_NEAR(stats.kl_k1, 0.0, 1e-5);
  EXPECT_LT(stats.sampler_gap, 1e-4);
  EXPECT_EQ(stats.policy_clip_fraction, 0.0);
  EXPECT_EQ(stats.policy_updates, 1);
}

TEST(PpoTrainer, RaisesTheReward) {
  PpoWorld w;
  PpoTrainer trainer{w.policy, w.critic, w.reward, w.reference, w.generator, PpoWorld::options()};
  const double before = trainer.step(w.prompts).score_mean;
  PpoStats stats;
  for (int i = 0; i < 40; ++i) stats = trainer.step(w.prompts);
  EXPECT_LT(before, 0.3);
  EXPECT_GT(stats.score_mean, 0.8);
  EXPECT_GT(stats.kl_k3, 0.0);
}

TEST(PpoTrainer, MicroBatchesChangeNothing) {
  PpoWorld a, b;
  PpoOptions parts = PpoWorld::options();
  parts.micro_batch_tokens = 10;
  PpoTrainer x{a.policy, a.critic, a.reward, a.reference, a.generator, PpoWorld::options()};
  PpoTrainer y{b.policy, b.critic, b.reward, b.reference, b.generator, parts};
  const PpoStats s = x.step(a.prompts), t = y.step(b.prompts);
  EXPECT_NEAR(s.policy_loss, t.policy_loss, 1e-5);
  EXPECT_NEAR(s.value_loss, t.value_loss, 1e-5);
  EXPECT_NEAR(s.score_mean, t.score_mean, 0);
  // Adam divides by the gradients' own size, so rounding of a tiny gradient may move a weight.
  EXPECT_LT(distance(a.policy, b.policy), 2e-3);
}

TEST(PpoTrainer, StepIsItsFourStages) {
  PpoWorld a, b;
  PpoTrainer x{a.policy, a.critic, a.reward, a.reference, a.generator, PpoWorld::options()};
  PpoTrainer y{b.policy, b.critic, b.reward, b.reference, b.generator, PpoWorld::options()};
  x.step(a.prompts);
  const Rollout rollout = y.rollout(b.prompts);
  const Scored scored = y.score(rollout);
  const Experience experience = y.advantages(scored);
  y.update(experience);
  EXPECT_EQ(distance(a.policy, b.policy), 0.0);
}

TEST(PpoTrainer, TheCriticWarmsUpAlone) {
  PpoWorld w;
  PpoOptions options = PpoWorld::options();
  options.critic_warmup_steps = 2;
  const CausalLM before = w.policy.clone();
  const ValueModel critic = w.critic.clone();
  PpoTrainer trainer{w.policy, w.critic, w.reward, w.reference, w.generator, options};
  EXPECT_EQ(trainer.step(w.prompts).policy_updates, 0);
  trainer.step(w.prompts);
  EXPECT_EQ(distance(w.policy, before), 0.0);
  EXPECT_GT(distance(w.critic, critic), 0.0);
  EXPECT_EQ(trainer.step(w.prompts).policy_updates, 4);
  EXPECT_GT(distance(w.policy, before), 0.0);
}

TEST(PpoTrainer, AnUpdateThatDriftsTooFarEnds) {
  PpoWorld w;
  PpoOptions options = PpoWorld::options();
  options.kl.early_stop = 1e-9;
  PpoTrainer trainer{w.policy, w.critic, w.reward, w.reference, w.generator, options};
  EXPECT_EQ(trainer.step(w.prompts).policy_updates, 2);  // the first moves, the second sees it
}

TEST(PpoTrainer, TheAdaptiveCoefficientFollowsTheKl) {
  PpoWorld w;
  PpoOptions options = PpoWorld::options();
  options.kl = {.coefficient = 0.1, .target = 1e-4, .horizon = 100};
  PpoTrainer trainer{w.policy, w.critic, w.reward, w.reference, w.generator, options};
  trainer.step(w.prompts);  // KL 0: below the target
  EXPECT_LT(trainer.kl_coefficient(), 0.1);
  const double low = trainer.kl_coefficient();
  trainer.step(w.prompts);  // the policy has moved
  EXPECT_NEAR(trainer.kl_coefficient(), low * (1 + 0.2 * 12 / 100), 1e-9);
}

TEST(PpoTrainer, PretrainingKeepsWhatItTeaches) {
  PpoWorld w;
  PpoOptions options = PpoWorld::options();
  options.ptx_coefficient = 2.0;
  PpoTrainer trainer{w.policy,
                     w.critic,
                     w.reward,
                     w.reference,
                     w.generator,
                     options,
                     [] { return demonstrations(); }};
  const double before = trainer.step(w.prompts).ptx_loss;
  for (int i = 0; i < 10; ++i) trainer.step(w.prompts);
  EXPECT_LT(trainer.step(w.prompts).ptx_loss, before / 2);
}

TEST(PpoTrainer, OneObjectMayBePolicyAndCritic) {
  PpoWorld w;
  ActorCritic both{w.policy.clone()};
  PpoTrainer trainer{both, both, w.reward, w.reference, w.generator, PpoWorld::options()};
  EXPECT_EQ(trainer.critic_optimizer(), nullptr);
  PpoStats stats;
  for (int i = 0; i < 40; ++i) stats = trainer.step(w.prompts);
  EXPECT_GT(stats.score_mean, 0.8);
}

TEST(PpoTrainer, BadScoresNeverReachTheWeights) {
  PpoWorld w;
  const CausalLM before = w.policy.clone();
  auto nan = [](const Rollout& r) {
    Tensor scores = torch::zeros({r.completions.size()});
    scores[2] = NAN;
    return scores;
  };
  PpoTrainer trainer{w.policy, w.critic, nan, w.reference, w.generator, PpoWorld::options()};
  EXPECT_THAT(error_of([&] { trainer.step(w.prompts); }),
              AllOf(HasSubstr("score at step 0 of sequence 2 (id 2, prompt tokens 4 5 6)"),
                    HasSubstr("expected a finite number, got nan")));
  auto few = [](const Rollout&) { return torch::zeros({3}); };
  PpoTrainer short_of{w.policy, w.critic, few, w.reference, w.generator, PpoWorld::options()};
  EXPECT_THAT(error_of([&] { short_of.step(w.prompts); }),
              HasSubstr("scores of the reward: expected [12], got [3]"));
  EXPECT_EQ(distance(w.policy, before), 0.0);
}

/// A critic that fails when it is told to.
struct FailingCritic {
  ValueModel& model;
  bool fails = false;
  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options) const {
    TokenOutputs outputs = model.evaluate(completions, options);
    if (fails) outputs.values = *outputs.values * NAN;
    return outputs;
  }
  std::vector<NamedTensor> named_parameters() const { return model.named_parameters(); }
};

TEST(PpoTrainer, AMinibatchThatFailedLeavesNoGradientToTheNext) {
  const auto gradient_norm = [](bool fails_first) {
    PpoWorld w;
    FailingCritic critic{w.critic};
    PpoOptions options = PpoWorld::options();
    options.epochs = options.minibatches = 1;
    PpoTrainer trainer{w.policy, critic, w.reward, w.reference, w.generator, options};
    const Experience experience = trainer.advantages(trainer.score(trainer.rollout(w.prompts)));
    if (fails_first) {
      critic.fails = true;  // after the policy's part has gone backward
      EXPECT_THAT(error_of([&] { trainer.update(experience); }), HasSubstr("value loss at step 0"));
      critic.fails = false;
    }
    return trainer.update(experience).policy_gradient_norm;
  };
  EXPECT_NEAR(gradient_norm(true) / gradient_norm(false), 1.0, 1e-5);
}

/// A policy that forgets what it was asked for.
struct WithoutEntropy {
  const CausalLM& model;
  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options) const {
    TokenOutputs outputs = model.evaluate(completions, options);
    outputs.entropy.reset();
    return outputs;
  }
  std::vector<NamedTensor> named_parameters() const { return model.named_parameters(); }
};

TEST(PpoTrainer, APolicyWithoutEntropyIsTold) {
  PpoWorld w;
  Rollout sampled = rollout::sample(w.policy, w.prompts, PpoWorld::options().sampling, w.generator);
  WithoutEntropy policy{w.policy};
  PpoTrainer trainer{policy, w.critic, w.reward, w.reference, w.generator, PpoWorld::options()};
  EXPECT_THAT(error_of([&] { trainer.learn(sampled); }),
              HasSubstr("TokenOutputs::entropy of the policy"));
}

TEST(PpoTrainer, ARolloutFromElsewhereMustBeWhole) {
  PpoWorld w;
  const Rollout sampled =
      rollout::sample(w.policy, w.prompts, PpoWorld::options().sampling, w.generator);
  PpoTrainer trainer{w.policy, w.critic, w.reward, w.reference, w.generator, PpoWorld::options()};
  Rollout without = sampled;
  without.finish.clear();
  EXPECT_THAT(error_of([&] { trainer.learn(without); }),
              HasSubstr("Rollout::finish to learn from: expected 12, one a sequence, got 0"));
  without = sampled;
  without.log_probs = sampled.log_probs.narrow(0, 0, 3);
  EXPECT_THAT(error_of([&] { trainer.learn(without); }),
              HasSubstr("Rollout::log_probs to learn from: expected [12, 6], got [3, 6]"));
  without.log_probs = Tensor();
  EXPECT_GT(trainer.learn(without).response_length, 0);
}

TEST(PpoTrainer, WhatCannotWorkIsRefusedBeforeWorkStarts) {
  PpoWorld w;
  const Frozen other{tiny_model(1, 12)};
  EXPECT_THAT(error_of([&] {
                PpoTrainer{w.policy, w.critic, w.reward, other, w.generator};
              }),
              HasSubstr("vocab_size of the reference: expected 11, got 12"));
  const auto with = [&](auto&& change) {
    PpoOptions options = PpoWorld::options();
    change(options);
    PpoTrainer{w.policy, w.critic, w.reward, w.reference, w.generator, options};
  };
  EXPECT_THAT(error_of([&] { with([](auto& o) { o.epochs = 0; }); }),
              HasSubstr("PpoOptions::epochs: expected >= 1, got 0"));
  EXPECT_THAT(error_of([&] { with([](auto& o) { o.kl.estimator = objective::KlEstimator{9}; }); }),
              HasSubstr("PpoOptions::kl.estimator: expected k1, abs, k2 or k3, got 9"));
  EXPECT_THAT(
      error_of([&] { with([](auto& o) { o.policy_schedule.shape = Schedule::Shape{7}; }); }),
      HasSubstr("Schedule::shape: expected constant, linear or cosine, got 7"));
  EXPECT_THAT(error_of([&] { with([](auto& o) { o.ptx_coefficient = 1; }); }),
              HasSubstr("0 without a source"));
  EXPECT_THAT(error_of([&] {
                with([](auto& o) {
                  o.kl.target = 1;
                  o.kl.coefficient = 0;
                });
              }),
              HasSubstr("PpoOptions::kl.coefficient"));
}

TEST(Trainers, AnEmptyResponseIsNamedAndTheWeightsStay) {
  PpoWorld w;
  const CausalLM before = w.policy.clone();
  const auto one_empty = [] { return completions_from({{1}, {2, 5}}, {{3, 4}, {}}); };
  const auto names_it =
      HasSubstr("counted response tokens of sequence 1 (id 1, prompt tokens 2 5): expected >= 1");
  SftTrainer sft{w.policy};
  EXPECT_THAT(error_of([&] { sft.step(one_empty()); }), names_it);
  Completions uncounted = completions_from({{1}, {2, 5}}, {{3, 4}, {6}});
  uncounted.counted = torch::tensor({true, false, false});
  EXPECT_THAT(error_of([&] { sft.step(uncounted); }), names_it);
  RewardModel model(w.policy, w.generator);
  RewardTrainer reward_trainer{model};
  const Rankings rankings{.completions = one_empty(), .group_sizes = int64_tensor({2})};
  EXPECT_THAT(error_of([&] { reward_trainer.step(rankings); }), names_it);
  PpoTrainer ppo{w.policy, w.critic, w.reward, w.reference, w.generator, PpoWorld::options()};
  Rollout rollout;
  rollout.completions = one_empty();
  rollout.finish = {Finish::eos, Finish::eos};
  EXPECT_THAT(error_of([&] { ppo.learn(rollout); }), names_it);
  EXPECT_EQ(distance(w.policy, before), 0.0);
}

}  // namespace
}  // namespace rlhf
