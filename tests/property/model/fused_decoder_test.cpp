// The fused float32 decoder against the composite one in float64, over random shapes: outputs, and
// gradients of every weight.
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "rlhf/model/causal_lm.hpp"
#include "support/random_model.hpp"

namespace rlhf {
namespace {

using test::random_batch;
using test::random_config;

/// Greatest difference, as a share of the greatest value.
double difference(const Tensor& ours, const Tensor& exact) {
  const double size = exact.abs().max().item<double>();
  return (ours.to(torch::kFloat64) - exact).abs().max().item<double>() / std::max(size, 1e-3);
}

class FusedDecoder : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { at::set_num_threads(GetParam()); }
  void TearDown() override { at::set_num_threads(1); }
};

TEST_P(FusedDecoder, AgreesWithTheCompositeOneInFloat64) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    const TransformerConfig config = random_config(generator);
    CausalLM model(config, generator);
    const bool named = config.bias == Bias::none || !config.query_key_norm;
    if (named && generator.below(2) == 0) {
      const std::vector<std::vector<std::string>> targets{{"all-linear"},
                                                          {"[qv]_proj|c_attn"},
                                                          {".*layers?\\.0\\..*|.*h\\.0\\..*"},
                                                          {"(up|down)_proj|c_proj"}};
      model = model.with_adapters({.rank = 1 + generator.below(5),
                                   .alpha = 1 + 4 * generator.uniform(),
                                   .targets = targets[static_cast<size_t>(generator.below(4))]},
                                  generator);
    }
    {
      NoGrad no_grad;
      for (auto& [name, weight] : model.named_parameters()) {
        if (name.ends_with("bias") || name.ends_with("lora_b")) {
          generator.fill_normal(weight, 0.0, 0.5);
        } else if (weight.dim() == 1) {
          generator.fill_normal(weight, 1.0, 0.3);  // norms that matter
        } else {
          weight.mul_(8.0);
        }
      }
    }
    const int64_t frozen = generator.below(config.layers);
    const bool adapted = model.trunk().adapters() != nullptr;
    if (frozen > 0 && !adapted) model.train_only_last(config.layers - frozen);
    CausalLM exact = model.clone();
    exact.to(torch::kFloat64);
    const Completions batch = random_batch(config.vocab_size, generator);
    const EvaluateOptions options{.temperature = 0.5 + generator.uniform(),
                                  .entropy = generator.below(2) == 0};
    const auto losses_of = [&](const CausalLM& m) {
      const TokenOutputs out = m.evaluate(batch, options);
      const Tensor log_probs = out.log_probs.to(torch::kFloat64);
      const Tensor losses = log_probs * (log_probs.detach() + 1).sin();
      return options.entropy ? losses + out.entropy->to(torch::kFloat64).square() : losses;
    };
    const Tensor ours = losses_of(model), expected = losses_of(exact);
    EXPECT_LT(difference(ours, expected), 2e-5);
    ours.sum().backward();
    expected.sum().backward();
    const auto weights = model.named_parameters(), exact_weights = exact.named_parameters();
    for (size_t i = 0; i < weights.size(); ++i) {
      ASSERT_EQ(weights[i].second.grad().defined(), exact_weights[i].second.grad().defined())
          << weights[i].first;
      if (!weights[i].second.grad().defined()) continue;
      EXPECT_LT(difference(weights[i].second.grad(), exact_weights[i].second.grad()), 2e-4)
          << weights[i].first;
    }
    if (adapted) {
      EXPECT_LT(difference(model.merged().evaluate(batch).log_probs.detach(),
                           exact.evaluate(batch).log_probs.detach()),
                2e-5);
    }
    NoGrad no_grad;  // shares its buffers between layers, nothing else
    EXPECT_TRUE(model.evaluate(batch).log_probs.equal(model.clone().evaluate(batch).log_probs));
    EXPECT_LT(difference(model.evaluate(batch).log_probs, exact.evaluate(batch).log_probs), 2e-5);
  }
}

using Gradients = std::vector<std::pair<std::string, Tensor>>;

Gradients gradients_of(const CausalLM& model, const Completions& batch) {
  for (const auto& [name, weight] : model.named_parameters()) weight.mutable_grad() = Tensor();
  const Tensor log_probs = model.evaluate(batch).log_probs;
  (log_probs * (log_probs.detach() + 1).sin()).sum().backward();
  Gradients gradients;
  for (const auto& [name, weight] : model.named_parameters()) {
    if (weight.grad().defined()) gradients.emplace_back(name, weight.grad().clone());
  }
  return gradients;
}

/// To the bit where the kernels work; LibTorch's products depend on a row's neighbours.
void expect_the_same(const Tensor& ours, const Tensor& theirs) {
  ASSERT_EQ(ours.sizes(), theirs.sizes());
  if (ours.scalar_type() == torch::kFloat32) {
    EXPECT_TRUE(ours.equal(theirs));
  } else {
    EXPECT_LT(difference(ours.detach(), theirs.detach()), 1e-11);
  }
}

void expect_the_same(const Gradients& ours, const Gradients& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    SCOPED_TRACE(ours[i].first);
    EXPECT_EQ(ours[i].first, theirs[i].first);
    expect_the_same(ours[i].second, theirs[i].second);
  }
}

/// A model of some depth, sometimes with adapters, that has something to say.
CausalLM deep_model(Generator& generator) {
  TransformerConfig config = random_config(generator);
  config.layers = 2 + generator.below(4);
  CausalLM model(config, generator);
  NoGrad no_grad;
  for (auto& [name, weight] : model.named_parameters()) {
    if (weight.dim() == 2) weight.mul_(8.0);
  }
  return model;
}

TEST_P(FusedDecoder, KeepsLessAndGivesTheSameGradients) {
  for (uint64_t seed = 100; seed < 120; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    CausalLM model = deep_model(generator);
    if (generator.below(2) == 0) model.train_only_last(1 + generator.below(model.config().layers));
    const Completions batch = random_batch(model.vocab_size(), generator);
    for (const auto type : {torch::kFloat32, torch::kFloat64}) {  // fused, and composite
      model.to(type);
      const Gradients kept = gradients_of(model, batch);
      model.checkpoint_layers(true);
      expect_the_same(gradients_of(model, batch), kept);
      model.checkpoint_layers(false);
    }
  }
}

TEST_P(FusedDecoder, RemembersWhatFrozenLayersMade) {
  for (uint64_t seed = 200; seed < 220; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    CausalLM model = deep_model(generator);
    const int64_t frozen = 1 + generator.below(model.config().layers - 1);
    CausalLM plain = model.clone();
    plain.train_only_last(model.config().layers - frozen);
    if (plain.config().output_layer == OutputLayer::separate) {
      model.named_parameters().back().second.requires_grad_(false);
    }
    // Room for all of it, for some, for none.
    model.trunk().freeze_lowest(frozen, std::vector<int64_t>{1 << 20, 2000, 0}[seed % 3]);
    const Completions batch = random_batch(model.vocab_size(), generator);
    const std::vector<Completions> twice{batch, batch};
    const Completions more = concatenate(twice);
    for (const auto type : {torch::kFloat32, torch::kFloat64}) {
      model.to(type);
      plain.to(type);
      const Tensor expected = plain.evaluate(more).log_probs;
      EXPECT_LT(difference(model.evaluate(batch).log_probs.detach(),
                           plain.evaluate(batch).log_probs.detach().to(torch::kFloat64)),
                2e-5);
      for (int times = 0; times < 2; ++times) {
        expect_the_same(model.evaluate(more).log_probs, expected);
        expect_the_same(gradients_of(model, more), gradients_of(plain, more));
      }
      expect_the_same(model.clone().evaluate(more).log_probs, expected);
      expect_the_same(model.view().evaluate(more).log_probs, expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, FusedDecoder, testing::Values(1, 2, 3));

}  // namespace
}  // namespace rlhf
