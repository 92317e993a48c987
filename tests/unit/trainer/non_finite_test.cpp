#include "rlhf/core/non_finite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/error_of.hpp"
#include "support/small_runs.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::few_demonstrations;
using test::few_prompts;
using test::few_rankings;
using test::tiny_model;
using testing::AllOf;
using testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A model whose log-probabilities of one prompt are spoilt when they are told to be: in the values
/// themselves, or only in the gradient.
enum class Spoilt { nothing, values, gradient };

struct Spoiling {
  CausalLM model = tiny_model();
  std::vector<int64_t> prompt = {4, 5, 6};
  Spoilt spoilt = Spoilt::nothing;

  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options) const {
    TokenOutputs outputs = model.evaluate(completions, options);
    if (spoilt == Spoilt::nothing) return outputs;
    for (int64_t row = 0; row < completions.size(); ++row) {
      if (completions.prompt(row) != prompt) continue;
      const Tensor mask = torch::zeros_like(outputs.log_probs, torch::kBool);
      mask[row].fill_(true);
      // The square root's derivative at 0 is infinite, and infinity times 0 is NaN.
      const Tensor bad = spoilt == Spoilt::values
                             ? outputs.log_probs * nan
                             : outputs.log_probs + (outputs.log_probs * 0).sqrt();
      outputs.log_probs = torch::where(mask, bad, outputs.log_probs);
    }
    return outputs;
  }
  std::vector<NamedTensor> named_parameters() const { return model.named_parameters(); }
  KvCache begin(const Completions& prompts) const { return model.begin(prompts); }
  Tensor step(KvCache& cache, const Tensor& tokens) const { return model.step(cache, tokens); }
  void keep(KvCache& cache, const Tensor& rows) const { cache.keep(rows); }
};

/// What a model's weights are now, to compare with later.
template <class M>
std::string weights_of(const M& model) {
  return io::fingerprint(model.named_parameters());
}

TEST(SftNonFinite, LossAndGradientAreNamedAndMoveNothing) {
  Spoiling policy;
  SftTrainer trainer{policy};
  trainer.step(few_demonstrations());
  const std::string before = weights_of(policy);
  policy.spoilt = Spoilt::values;
  EXPECT_THAT(error_of([&] { trainer.step(few_demonstrations()); }),
              HasSubstr("SFT loss at step 1 of sequence 2 (id 2, prompt tokens 4 5 6), response "
                        "token 0: expected a finite number, got nan"));
  policy.spoilt = Spoilt::gradient;
  const std::string first = policy.named_parameters().front().first;
  EXPECT_THAT(error_of([&] { trainer.step(few_demonstrations()); }),
              HasSubstr("gradient of parameter '" + first +
                        "' at step 1 of sequence 2 (id 2, prompt tokens 4 5 6): expected a finite "
                        "number, got NaN or infinity"));
  EXPECT_EQ(weights_of(policy), before);
}

TEST(SftNonFinite, InAMicroBatchTheRowOfTheBatchIsNamed) {
  Spoiling policy{.spoilt = Spoilt::values};
  SftTrainer trainer{policy, SftOptions{.micro_batch_tokens = 4}};
  EXPECT_THAT(error_of([&] { trainer.step(few_demonstrations()); }),
              HasSubstr("(id 2, prompt tokens 4 5 6)"));
}

TEST(SftNonFinite, AStepThatIsSkippedIsCountedAndTheNextLearns) {
  Spoiling policy{.spoilt = Spoilt::gradient}, clean;
  const SftOptions options{.on_non_finite = OnNonFinite::skip};
  SftTrainer trainer{policy, options}, other{clean, options};
  const std::string before = weights_of(policy);
  const SftStats stats = trainer.step(few_demonstrations());
  EXPECT_EQ(stats.skipped, 1);
  EXPECT_TRUE(std::isnan(stats.loss));
  EXPECT_THAT(trainer.problem(), HasSubstr("sequence 2"));
  EXPECT_EQ(weights_of(policy), before);
  policy.spoilt = Spoilt::nothing;
  EXPECT_EQ(trainer.step(few_demonstrations()).skipped, 0);
  other.step(few_demonstrations());
  EXPECT_EQ(weights_of(policy), weights_of(clean));
}

/// A scorer that is spoilt for sequences whose first response token is 5.
struct SpoilingScorer {
  RewardModel& model;
  Spoilt spoilt = Spoilt::nothing;
  Tensor score(const Completions& completions) const {
    Tensor scores = model.score(completions);
    const Tensor mask = torch::zeros({completions.size()}, torch::kBool);
    for (int64_t row = 0; row < completions.size(); ++row) {
      if (completions.response(row).front() == 5) mask[row].fill_(true);
    }
    if (spoilt == Spoilt::values) scores = torch::where(mask, scores * nan, scores);
    if (spoilt == Spoilt::gradient)
      scores = torch::where(mask, scores + (scores * 0).sqrt(), scores);
    return scores;
  }
  std::vector<NamedTensor> named_parameters() const { return model.named_parameters(); }
};

TEST(RewardNonFinite, ScoreAndGradientAreNamedAndMoveNothing) {
  Generator generator(1);
  RewardModel model(tiny_model(), generator);
  SpoilingScorer scorer{model};
  RewardTrainer trainer{scorer};
  const std::string before = weights_of(model);
  scorer.spoilt = Spoilt::values;
  EXPECT_THAT(error_of([&] { trainer.step(few_rankings()); }),
              HasSubstr("score at step 0 of sequence 2 (id 2, prompt tokens 1 2)"));
  scorer.spoilt = Spoilt::gradient;
  EXPECT_THAT(error_of([&] { trainer.step(few_rankings()); }),
              AllOf(HasSubstr("gradient of parameter '"),
                    HasSubstr("' at step 0 of sequence 0 (id 0, prompt tokens 1 2)")));
  EXPECT_EQ(weights_of(model), before);
  RewardTrainer skipping{scorer, RewardOptions{.on_non_finite = OnNonFinite::skip}};
  EXPECT_EQ(skipping.step(few_rankings()).skipped, 1);
  EXPECT_EQ(weights_of(model), before);
}

/// A critic that is spoilt as told.
struct SpoilingCritic {
  ValueModel& model;
  Spoilt spoilt = Spoilt::nothing;
  double scale = 1;
  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options) const {
    TokenOutputs outputs = model.evaluate(completions, options);
    const Tensor values = *outputs.values;
    outputs.values = values * scale + scale - 1;
    if (spoilt == Spoilt::values) outputs.values = values * nan;
    if (spoilt == Spoilt::gradient) outputs.values = values + (values * 0).sqrt();
    return outputs;
  }
  std::vector<NamedTensor> named_parameters() const { return model.named_parameters(); }
};

struct SpoiltWorld {
  Generator generator{5};
  Spoiling policy = {};
  Frozen<CausalLM> reference{tiny_model()};
  ValueModel values{policy.model, generator};
  SpoilingCritic critic{values};
  double bad_score = 0;
  AnyReward reward = [this](const Rollout& rollout) {
    Tensor scores = test::share_of_eights(rollout);
    if (bad_score != 0) scores[3] = bad_score;
    return scores;
  };

  static PpoOptions options(OnNonFinite on_non_finite) {
    return {.sampling = {.max_response_tokens = 4, .end_tokens = {0}},
            .epochs = 1,
            .minibatches = 1,
            .on_non_finite = on_non_finite};
  }
  std::string weights() const { return weights_of(policy) + weights_of(values); }
};

TEST(PpoNonFinite, EachIsNamedAndMovesNothing) {
  const auto error_with = [](auto&& spoil) {
    SpoiltWorld w;
    PpoTrainer trainer{w.policy,    w.critic,    w.reward,
                       w.reference, w.generator, SpoiltWorld::options(OnNonFinite::stop)};
    const std::string before = w.weights();
    const std::string error = error_of([&] { spoil(w, trainer); });
    EXPECT_EQ(w.weights(), before) << error;
    return error;
  };
  const auto in_step = [&](auto&& spoil) {
    return error_with([&](SpoiltWorld& w, auto& trainer) {
      spoil(w);
      trainer.step(few_prompts());
    });
  };
  EXPECT_THAT(in_step([](SpoiltWorld& w) { w.bad_score = -INFINITY; }),
              HasSubstr("score at step 0 of sequence 3 (id 3, prompt tokens 7): expected a finite "
                        "number, got -inf"));
  EXPECT_THAT(in_step([](SpoiltWorld& w) { w.policy.spoilt = Spoilt::values; }),
              HasSubstr("log-probability at step 0 of sequence 2 (id 2, prompt tokens 4 5 6), "
                        "response token 0"));
  EXPECT_THAT(in_step([](SpoiltWorld& w) { w.critic.spoilt = Spoilt::values; }),
              HasSubstr("value at step 0 of sequence 0 (id 0, prompt tokens 1 2)"));
  // Values of 3e38 are finite, their differences are not.
  EXPECT_THAT(in_step([](SpoiltWorld& w) { w.critic.scale = -3e38; }),
              AllOf(HasSubstr(" at step 0 of sequence "), HasSubstr("expected a finite number")));
  EXPECT_THAT(in_step([](SpoiltWorld& w) { w.policy.spoilt = Spoilt::gradient; }),
              AllOf(HasSubstr("gradient of parameter '"), HasSubstr("' at step 0 of sequence "),
                    HasSubstr("(id 2, prompt tokens 4 5 6)")));
  EXPECT_THAT(in_step([](SpoiltWorld& w) { w.critic.spoilt = Spoilt::gradient; }),
              AllOf(HasSubstr("gradient of parameter '"), HasSubstr("' at step 0 of sequence 0")));
}

TEST(PpoNonFinite, ABadRolloutIsSkipped) {
  SpoiltWorld w;
  PpoTrainer trainer{w.policy,    w.critic,    w.reward,
                     w.reference, w.generator, SpoiltWorld::options(OnNonFinite::skip)};
  const std::string before = w.weights();
  w.bad_score = nan;
  const PpoStats stats = trainer.step(few_prompts());
  EXPECT_EQ(stats.skipped, 1);
  EXPECT_EQ(stats.policy_updates, 0);
  EXPECT_TRUE(std::isnan(stats.score_mean));
  EXPECT_THAT(trainer.problem(), HasSubstr("score at step 0 of sequence 3"));
  EXPECT_EQ(trainer.steps(), 1);
  EXPECT_EQ(w.weights(), before);
  w.bad_score = 0;
  EXPECT_EQ(trainer.step(few_prompts()).policy_updates, 1);
}

TEST(PpoNonFinite, OfAnUpdateTheBadMinibatchAloneIsSkipped) {
  SpoiltWorld w;
  PpoOptions options = SpoiltWorld::options(OnNonFinite::skip);
  options.epochs = 2;
  options.minibatches = 7;  // a prompt each
  PpoTrainer trainer{w.policy, w.critic, w.reward, w.reference, w.generator, options};
  w.policy.spoilt = Spoilt::gradient;
  const PpoStats stats = trainer.step(few_prompts());
  EXPECT_EQ(stats.skipped, 2);
  EXPECT_EQ(stats.policy_updates, 12);
  EXPECT_TRUE(std::isfinite(stats.policy_loss));
}

TEST(PpoReward, WhatItThrowsIsNestedInAnErrorThatNamesTheStep) {
  SpoiltWorld w;
  auto throws = [](const Rollout&) -> Tensor { throw std::out_of_range("no such fact"); };
  PpoTrainer trainer{w.policy,    w.critic,    throws,
                     w.reference, w.generator, SpoiltWorld::options(OnNonFinite::stop)};
  const std::string before = w.weights();
  try {
    trainer.step(few_prompts());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the reward threw at step 0: no such fact"));
    EXPECT_THROW(std::rethrow_if_nested(error), std::out_of_range);
  }
  EXPECT_EQ(w.weights(), before);
}

TEST(RunNonFinite, StopsWithACheckpointOfTheStateBeforeAndGoesOnFromThere) {
  const test::TemporaryFolder folder;
  const auto train = [&](const fs::path& path, int64_t bad_step) {
    SpoiltWorld w;
    PpoTrainer trainer{w.policy,    w.critic,    w.reward,
                       w.reference, w.generator, SpoiltWorld::options(OnNonFinite::stop)};
    Loader loader{few_prompts(), {.batch_size = 4, .last_batch = LastBatch::drop}};
    rlhf::Run run{path,
                  {{"trainer", trainer}, {"loader", loader}},
                  {.save_every = 100, .say = [](std::string_view) {}}};
    run.until(6, [&](int64_t step) {
      w.bad_score = step == bad_step ? nan : 0;
      trainer.step(loader.next());
    });
    return w.weights();
  };
  EXPECT_THAT(error_of([&] { train(folder / "stopped", 4); }), HasSubstr("score at step 3"));
  EXPECT_EQ(fs::read_symlink(folder / "stopped/latest"), "step-00000003");
  EXPECT_EQ(train(folder / "stopped", 0), train(folder / "whole", 0));
}

}  // namespace
}  // namespace rlhf
