#include "rlhf/model/causal_lm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/model/scalar_head.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/rollout/sample.hpp"
#include "support/error_of.hpp"
#include "support/small_model.hpp"

namespace rlhf {
namespace {

using test::error_of;
using test::ragged_batch;
using test::sharp_model;
using test::small_config;
using testing::HasSubstr;

static_assert(Policy<CausalLM> && Decoder<CausalLM> && Critic<ValueModel> && Reward<RewardModel>);
static_assert(Reference<Frozen<CausalLM>> && !Reference<CausalLM>);

/// The decoder once more, one sequence, one token, one head at a time, in plain LibTorch calls.
Tensor plain_log_probs(const CausalLM& model, const std::vector<int64_t>& tokens, int64_t prompt) {
  const auto& c = model.config();
  std::map<std::string, Tensor> w;
  for (auto& [name, weight] : model.named_parameters()) w[name] = weight.detach();
  const int64_t d = c.head_size();
  const auto norm = [&](const Tensor& x, const Tensor& weight) {
    return x / (x.pow(2).mean() + c.norm_epsilon).sqrt() * weight;
  };
  const auto rotated = [&](const Tensor& x, int64_t position) {
    Tensor out = x.clone();
    for (int64_t i = 0; i < d / 2; ++i) {
      const double angle =
          static_cast<double>(position) *
          std::pow(c.rope_base, -2.0 * static_cast<double>(i) / static_cast<double>(d));
      out[i] = x[i] * std::cos(angle) - x[i + d / 2] * std::sin(angle);
      out[i + d / 2] = x[i + d / 2] * std::cos(angle) + x[i] * std::sin(angle);
    }
    return out;
  };
  std::vector<Tensor> x;
  for (int64_t token : tokens) x.push_back(w["embedding"][token]);
  for (int64_t layer = 0; layer < c.layers; ++layer) {
    const std::string at = "layers." + std::to_string(layer) + ".";
    std::vector<Tensor> q, k, v;
    for (auto& row : x) {
      const Tensor all =
          torch::mv(w[at + "qkv"], norm(row, w[at + "attention_norm"])).view({-1, d});
      const auto position = static_cast<int64_t>(q.size());
      Tensor qr = all.narrow(0, 0, c.heads).clone(),
             kr = all.narrow(0, c.heads, c.key_heads()).clone();
      for (int64_t h = 0; h < c.heads; ++h) qr[h] = rotated(qr[h], position);
      for (int64_t h = 0; h < c.key_heads(); ++h) kr[h] = rotated(kr[h], position);
      q.push_back(qr);
      k.push_back(kr);
      v.push_back(all.narrow(0, c.heads + c.key_heads(), c.key_heads()));
    }
    for (size_t i = 0; i < x.size(); ++i) {
      std::vector<Tensor> heads;
      for (int64_t h = 0; h < c.heads; ++h) {
        const int64_t g = h / (c.heads / c.key_heads());
        std::vector<Tensor> scores;
        for (size_t j = 0; j <= i; ++j)
          scores.push_back(q[i][h].dot(k[j][g]) / std::sqrt(double(d)));
        const Tensor p = torch::softmax(torch::stack(scores), 0);
        Tensor mixed = torch::zeros_like(v[0][g]);
        for (size_t j = 0; j <= i; ++j) mixed = mixed + p[static_cast<int64_t>(j)] * v[j][g];
        heads.push_back(mixed);
      }
      x[i] = x[i] + torch::mv(w[at + "attention_out"], torch::cat(heads));
    }
    for (auto& row : x) {
      const Tensor gu = torch::mv(w[at + "gate_up"], norm(row, w[at + "mlp_norm"]));
      const Tensor gate = gu.narrow(0, 0, c.hidden_dim),
                   up = gu.narrow(0, c.hidden_dim, c.hidden_dim);
      row = row + torch::mv(w[at + "down"], gate / (1 + (-gate).exp()) * up);
    }
  }
  const Tensor output = w.contains("output") ? w["output"] : w["embedding"];
  std::vector<Tensor> result;
  for (size_t i = static_cast<size_t>(prompt); i < tokens.size(); ++i) {
    const Tensor logits = torch::mv(output, norm(x[i - 1], w["norm"]));
    result.push_back(torch::log_softmax(logits, 0)[tokens[i]]);
  }
  return torch::stack(result);
}

TEST(CausalLM, AgreesWithThePlainOracle) {
  for (const OutputLayer layer : {OutputLayer::tied, OutputLayer::separate}) {
    auto config = small_config();
    config.output_layer = layer;
    CausalLM model = sharp_model(config);
    model.to(torch::kFloat64);
    const Completions batch = ragged_batch();
    const Tensor log_probs = model.evaluate(batch).log_probs.detach();
    for (int64_t row = 0; row < batch.size(); ++row) {
      auto tokens = batch.prompt(row);
      const auto prompt = static_cast<int64_t>(tokens.size());
      const auto response = batch.response(row);
      tokens.insert(tokens.end(), response.begin(), response.end());
      const auto n = static_cast<int64_t>(response.size());
      // The rotary tables are kept in float32.
      EXPECT_TRUE(
          log_probs[row].narrow(0, 0, n).allclose(plain_log_probs(model, tokens, prompt), 0, 1e-5));
      EXPECT_TRUE((log_probs[row].narrow(0, n, log_probs.size(1) - n) == 0).all().item<bool>());
    }
  }
}

TEST(CausalLM, ARowDoesNotDependOnItsNeighbours) {
  const CausalLM model = sharp_model();
  const Completions batch = ragged_batch();
  const Tensor together = model.evaluate(batch).log_probs;
  for (int64_t row = 0; row < batch.size(); ++row) {
    const Tensor alone = model.evaluate(select(batch, int64_tensor({row}))).log_probs;
    EXPECT_TRUE(together[row].narrow(0, 0, alone.size(1)).allclose(alone[0], 0, 2e-6));
  }
}

TEST(CausalLM, DecodingGivesTheLogitsOfTheTrainingPass) {
  const CausalLM model = sharp_model();
  const Completions batch = ragged_batch();
  const Tensor expected = model.evaluate(batch, {.temperature = 0.7}).log_probs;
  KvCache cache = model.begin(prompts_of(batch), 1);  // has to grow
  Tensor tokens = int64_tensor({3, 4, 8});
  for (int64_t t = 0; t < 4; ++t) {
    const Tensor log_probs = torch::log_softmax(model.step(cache, tokens) / 0.7, 1);
    std::vector<int64_t> next;
    for (int64_t row = 0; row < batch.size(); ++row) {
      const auto response = batch.response(row);
      const bool real = t < std::ssize(response);
      next.push_back(real ? response[static_cast<size_t>(t)] : 0);
      if (real) {
        EXPECT_NEAR(log_probs[row][next.back()].item<double>(), expected[row][t].item<double>(),
                    5e-6);
      }
    }
    tokens = int64_tensor(next);
  }
}

TEST(CausalLM, GradientsAreCentralDifferences) {
  CausalLM model = sharp_model();
  model.to(torch::kFloat64);
  const Completions batch = ragged_batch();
  Generator generator(5);
  Tensor weights = torch::empty({2, 3, 4}, torch::kFloat64);
  generator.fill_normal(weights, 0, 1);
  const auto loss = [&] {
    const TokenOutputs out = model.evaluate(batch, {.temperature = 1.3, .entropy = true});
    return (out.log_probs * weights[0]).sum() + (*out.entropy * weights[1]).sum();
  };
  loss().backward();
  for (auto& [name, weight] : model.named_parameters()) {
    NoGrad no_grad;
    for (int trial = 0; trial < 4; ++trial) {
      Tensor flat = weight.view(-1);
      const int64_t i = generator.below(flat.size(0));
      const double old = flat[i].item<double>(), h = 1e-6;
      flat[i] = old + h;
      const double up = loss().item<double>();
      flat[i] = old - h;
      const double down = loss().item<double>();
      flat[i] = old;
      EXPECT_NEAR(weight.grad().view(-1)[i].item<double>(), (up - down) / (2 * h), 2e-6) << name;
    }
  }
}

TEST(CausalLM, FrozenLayersGetNoGradient) {
  CausalLM model = sharp_model();
  model.train_only_last(1);
  model.evaluate(ragged_batch()).log_probs.sum().backward();
  for (auto& [name, weight] : model.named_parameters()) {
    EXPECT_EQ(weight.grad().defined(), name.starts_with("layers.1.") || name == "norm") << name;
  }
}

TEST(CausalLM, ACloneSharesNothing) {
  CausalLM model = sharp_model();
  const Frozen reference{model.clone()};
  const Tensor before = reference.evaluate(ragged_batch()).log_probs;
  EXPECT_FALSE(before.requires_grad());
  NoGrad no_grad;
  for (auto& [name, weight] : model.named_parameters()) weight.zero_();
  EXPECT_TRUE(reference.evaluate(ragged_batch()).log_probs.equal(before));
}

TEST(CausalLM, BadInputIsNamed) {
  CausalLM model = sharp_model();
  EXPECT_THAT(error_of([&] {
                model.evaluate(completions_from({{1, 99}}, {{2}}));
              }),
              HasSubstr("token: expected >= 0 and < vocab_size = 17, got 99"));
  const Completions longest = completions_from({std::vector<int64_t>(32, 1)}, {{2}});
  EXPECT_THAT(error_of([&] { model.evaluate(longest); }),
              HasSubstr("tokens of sequence 0: expected at most context_length = 32, got 33"));
  Generator generator(1);
  const Completions too_long = completions_from({{1}, std::vector<int64_t>(33, 1)});
  EXPECT_THAT(error_of([&] { rollout::sample(model, too_long, {}, generator); }),
              HasSubstr("at most context_length = 32, got 33"));
  EXPECT_THAT(error_of([&] {
                model.evaluate(completions_from({{1}, {2}}));
              }),
              HasSubstr("response tokens to evaluate: expected >= 1, got 0"));
  auto config = small_config();
  config.kv_heads = 3;
  EXPECT_THAT(error_of([&] { config.validate(); }), HasSubstr("TransformerConfig::kv_heads"));
}

TEST(ScalarModels, ReadTheStateBeforeEachTokenAndTheLastToken) {
  Generator generator(1);
  const CausalLM model = sharp_model();
  const RewardModel reward(model, generator);
  const ValueModel critic = reward.value_model();
  const Completions batch = ragged_batch();
  const Tensor scores = reward.score(batch);
  const Tensor values = *critic.evaluate(batch).values;
  for (int64_t row = 0; row < batch.size(); ++row) {
    const Completions alone = select(batch, int64_tensor({row}));
    EXPECT_NEAR(reward.score(alone).item<double>(), scores[row].item<double>(), 2e-6);
    // The value of the second response token is the score of everything up to the first.
    const auto response = alone.response(0);
    if (response.size() < 2) continue;
    const Completions shorter = with_responses(prompts_of(alone), {{response[0]}});
    EXPECT_NEAR(values[row][1].item<double>(), reward.score(shorter).item<double>(), 2e-6);
  }
}

TEST(ScalarModels, PositionsThatAreNoIncreasingIndicesAreRefused) {
  Generator generator(1);
  const ScalarModel model(sharp_model().trunk(), 0.3, generator);
  const Completions batch = ragged_batch();  // 15 tokens
  for (const std::vector<int64_t>& positions :
       {std::vector<int64_t>{3, 1}, {2, 2}, {-1, 2}, {1, 15}}) {
    EXPECT_THAT(error_of([&] { model.at(batch, int64_tensor(positions)); }),
                HasSubstr("positions: expected increasing, >= 0 and < tokens = 15"));
  }
  EXPECT_THAT(error_of([&] { model.at(batch, torch::tensor({1.0F})); }), HasSubstr("positions"));
}

TEST(CausalLM, TokensOfAnotherTypeAreRefusedByDecodingToo) {
  const CausalLM model = sharp_model();
  KvCache cache = model.begin(completions_from({{1, 2}, {3}}));
  EXPECT_THAT(error_of([&] {
                model.step(cache, torch::tensor({2, 3}, torch::kInt32));
              }),
              HasSubstr("tokens"));
}

TEST(RewardModel, CentringGivesDemonstrationsAMeanOfZero) {
  Generator generator(1);
  RewardModel reward(sharp_model(), generator);
  reward.centre_on(ragged_batch());
  EXPECT_NEAR(reward.score(ragged_batch()).mean().item<double>(), 0, 1e-6);
}

}  // namespace
}  // namespace rlhf
