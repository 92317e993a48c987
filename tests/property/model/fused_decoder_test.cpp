// The fused float32 decoder against the composite one in float64, over random shapes: outputs, and
// gradients of every weight.
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "rlhf/model/causal_lm.hpp"

namespace rlhf {
namespace {

TransformerConfig random_config(Generator& generator) {
  const int64_t kv_heads = 1 + generator.below(3), group = 1 + generator.below(3);
  TransformerConfig config;
  config.vocab_size = 20 + generator.below(30);
  config.hidden_dim = 1 + generator.below(70);
  config.layers = 1 + generator.below(3);
  config.heads = kv_heads * group;
  config.kv_heads = kv_heads;
  config.head_dim = 2 * (1 + generator.below(20));
  config.context_length = 160;
  config.output_layer = generator.below(2) == 0 ? OutputLayer::tied : OutputLayer::separate;
  config.dim = 1 + generator.below(70);
  switch (generator.below(6)) {
    case 0:
      config.bias = Bias::qkv;  // Qwen2
      break;
    case 1:
      config.query_key_norm = true;  // Qwen3
      break;
    case 2:  // GPT-2
      config.kv_heads = 0;
      config.dim = config.heads * config.head_dim;
      config.norm = NormKind::layer;
      config.activation = Activation::gelu;
      config.positions = Positions::learned;
      config.bias = Bias::all;
      break;
    case 3:  // what nobody has
      config.norm = generator.below(2) == 0 ? NormKind::layer : NormKind::rms;
      config.activation = generator.below(2) == 0 ? Activation::gelu : Activation::swiglu;
      config.positions = generator.below(2) == 0 ? Positions::learned : Positions::rotary;
      config.bias = generator.below(2) == 0 ? Bias::qkv : Bias::all;
      config.query_key_norm = true;
      break;
    default:  // Llama
      break;
  }
  return config;
}

Completions random_batch(int64_t vocab_size, Generator& generator) {
  std::vector<std::vector<int64_t>> prompts, responses;
  const int64_t longest = generator.below(3) == 0 ? 75 : 9;
  for (int64_t row = 1 + generator.below(5); row > 0; --row) {
    const auto tokens = [&](int64_t count) {
      std::vector<int64_t> drawn;
      for (int64_t i = 0; i < count; ++i) drawn.push_back(generator.below(vocab_size));
      return drawn;
    };
    prompts.push_back(tokens(1 + generator.below(longest)));
    responses.push_back(tokens(generator.below(longest)));
  }
  responses.back().push_back(1);  // some response token there must be
  return completions_from(prompts, responses);
}

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

INSTANTIATE_TEST_SUITE_P(Threads, FusedDecoder, testing::Values(1, 2, 3));

}  // namespace
}  // namespace rlhf
