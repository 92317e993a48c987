// Models that multiply in bfloat16 or int8, against the same model in float32: how far they may be
// off, and what they must not lose.
#include <gtest/gtest.h>

#include "rlhf/model/causal_lm.hpp"
#include "rlhf/model/scalar_head.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/trainer/sft.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

constexpr TransformerConfig config{.vocab_size = 97,
                                   .dim = 48,
                                   .hidden_dim = 100,
                                   .layers = 3,
                                   .heads = 4,
                                   .kv_heads = 2,
                                   .context_length = 128};

/// Weights ten times as large as at the start, so that layers do what trained ones do.
CausalLM sharp_model(uint64_t seed) {
  Generator generator(seed);
  CausalLM model(config, generator);
  NoGrad no_grad;
  for (auto& [name, weight] : model.named_parameters()) {
    if (weight.dim() == 2) weight.mul_(5);
  }
  return model;
}

Completions random_batch(uint64_t seed) {
  Generator generator(seed);
  std::vector<std::vector<int64_t>> prompts, responses;
  for (int64_t row = 0; row < 6; ++row) {
    const auto tokens = [&](int64_t count) {
      std::vector<int64_t> drawn;
      for (int64_t i = 0; i < count; ++i) drawn.push_back(generator.below(config.vocab_size));
      return drawn;
    };
    prompts.push_back(tokens(1 + generator.below(20)));
    responses.push_back(tokens(1 + generator.below(30)));
  }
  return completions_from(prompts, responses);
}

std::vector<Tensor> gradients_of(CausalLM& model, const Completions& batch) {
  model.evaluate(batch).log_probs.sum().backward();
  std::vector<Tensor> gradients;
  for (auto& [name, weight] : model.named_parameters()) {
    gradients.push_back(weight.grad().clone());
    weight.mutable_grad().reset();
  }
  return gradients;
}

double relative(const Tensor& a, const Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

TEST(Precision, OfBfloat16PacksWhatDoesNotLearnAndGivesTheSame) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    CausalLM base = sharp_model(seed);
    base.compute_in(Precision::bfloat16);
    const Completions batch = random_batch(seed);
    CausalLM packed = base.with_adapters({.rank = 3}, generator);
    CausalLM plain = packed.clone();
    {
      NoGrad no_grad;
      for (auto& [name, weight] : packed.named_parameters()) {
        if (name.ends_with("lora_b")) generator.fill_normal(weight, 0, 0.2);
      }
      plain = packed.clone();
    }
    for (auto& [name, weight] : plain.named_parameters()) weight.requires_grad_(true);
    const auto learn = [&](CausalLM& model) {
      const Tensor log_probs = model.evaluate(batch).log_probs;
      (log_probs * (log_probs.detach() + 1).sin()).sum().backward();
      return log_probs.detach();
    };
    EXPECT_TRUE(learn(packed).equal(learn(plain)));
    const auto ours = packed.named_parameters(), theirs = plain.named_parameters();
    for (size_t i = 0; i < ours.size(); ++i) {
      if (ours[i].second.requires_grad()) {
        EXPECT_TRUE(ours[i].second.grad().equal(theirs[i].second.grad())) << ours[i].first;
      }
    }
    // A weight that changes after all is packed anew.
    NoGrad no_grad;
    for (CausalLM* model : {&packed, &plain}) model->trunk().named_parameters()[2].second.mul_(1.5);
    EXPECT_TRUE(packed.evaluate(batch).log_probs.equal(plain.evaluate(batch).log_probs));
  }
}

TEST(Precision, OfBfloat16KeepsTwoDigitsOfLogProbabilitiesAndGradients) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    CausalLM model = sharp_model(seed);
    const Completions batch = random_batch(seed);
    const Tensor exact = model.evaluate(batch).log_probs.detach();
    const auto exact_gradients = gradients_of(model, batch);
    model.compute_in(Precision::bfloat16);
    const Tensor rounded = model.evaluate(batch).log_probs.detach();
    const auto gradients = gradients_of(model, batch);
    EXPECT_FALSE(rounded.equal(exact));
    // 8 bits of mantissa err by 2^-9 in every factor; three layers add up to some times that.
    EXPECT_LT(relative(rounded, exact), 0.01);
    for (size_t i = 0; i < gradients.size(); ++i) {
      EXPECT_LT(relative(gradients[i], exact_gradients[i]), 0.03)
          << model.named_parameters()[i].first;
    }
  }
}

TEST(Precision, OfBfloat16KeepsASequenceIndependentOfItsNeighbours) {
  CausalLM model = sharp_model(1);
  model.compute_in(Precision::bfloat16);
  NoGrad no_grad;
  const Completions batch = random_batch(1);
  const Tensor together = model.evaluate(batch).log_probs;
  for (int64_t row = 0; row < batch.size(); ++row) {
    const Completions alone = select(batch, torch::tensor({row}));
    const int64_t length = alone.longest_response();
    EXPECT_TRUE(model.evaluate(alone).log_probs[0].equal(together[row].narrow(0, 0, length)));
  }
}

TEST(Precision, IsThatOfTheCopyAndOfTheModelsMadeFromIt) {
  Generator generator(1);
  CausalLM model = sharp_model(2);
  model.compute_in(Precision::bfloat16);
  const Completions batch = random_batch(2);
  NoGrad no_grad;
  EXPECT_TRUE(model.clone().evaluate(batch).log_probs.equal(model.evaluate(batch).log_probs));
  EXPECT_EQ(ScalarModel(model.trunk(), 0.1, generator).trunk().precision(), Precision::bfloat16);
}

TEST(Precision, OfSamplingReportsLogProbabilitiesNearThoseOfTraining) {
  const Completions prompts = prompts_of(random_batch(3));
  for (const auto& [precision, tolerance] :
       {std::pair{Precision::float32, 1e-4}, {Precision::bfloat16, 0.1}, {Precision::int8, 0.3}}) {
    SCOPED_TRACE(static_cast<int>(precision));
    CausalLM model = sharp_model(3);
    model.decode_in(precision);
    Generator generator(5);
    NoGrad no_grad;
    const Rollout rollout = rollout::sample(model, prompts, {.max_response_tokens = 20}, generator);
    const Tensor trained = model.evaluate(rollout.completions).log_probs;
    EXPECT_LT((rollout.log_probs - trained).abs().max().item<double>(), tolerance);
  }
}

TEST(Precision, OfSamplingIsThatOfThePromptsToo) {
  Generator generator(2);
  CausalLM base = sharp_model(5);
  const Completions prompts = prompts_of(random_batch(5));
  const auto logits_of = [&](Precision passes) {
    base.compute_in(passes);
    const CausalLM adapted = base.with_adapters({.rank = 2}, generator);  // that add nothing yet
    NoGrad no_grad;
    KvCache cache = adapted.begin(prompts);
    return adapted.step(cache, rollout::last_prompt_tokens(prompts));
  };
  EXPECT_TRUE(logits_of(Precision::bfloat16).equal(logits_of(Precision::float32)));
}

TEST(Precision, OfAViewFollowsWhatATrainerMoves) {
  const Completions batch = random_batch(6);
  CausalLM model = sharp_model(6);
  CausalLM watch = model.view();
  watch.compute_in(Precision::bfloat16);
  SftTrainer trainer{model, {.optimizer = {.learning_rate = 0.01}}};
  const auto log_probs = [&](const CausalLM& of) {
    NoGrad no_grad;
    return of.evaluate(batch).log_probs;
  };
  const Tensor before = log_probs(watch);
  trainer.step(batch);
  CausalLM now = model.clone();
  now.compute_in(Precision::bfloat16);
  EXPECT_FALSE(log_probs(watch).equal(before));
  EXPECT_TRUE(log_probs(watch).equal(log_probs(now)));
}

TEST(Precision, OfTrainingIsNeverInt8) {
  CausalLM model = sharp_model(4);
  EXPECT_THAT(test::error_of([&] { model.compute_in(Precision::int8); }),
              testing::HasSubstr("float32 or bfloat16"));
}

}  // namespace
}  // namespace rlhf
