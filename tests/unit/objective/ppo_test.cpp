#include "rlhf/objective/ppo.hpp"

#include <cmath>
#include <limits>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::error_of;
using test::infinity;
using test::TensorEquals;
using test::TensorNear;
using testing::HasSubstr;

Tensor row(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble).unsqueeze(0);
}
Tensor all(int64_t tokens) {
  return torch::ones({1, tokens}, torch::kBool);
}

/// Loss of one token of this ratio and advantage, and its derivative in the log-probability.
struct OneToken {
  double loss, gradient, clip_fraction;
};
OneToken one_token(double ratio, double advantage, const PpoClip& clip = {}) {
  const Tensor log_probs = row({std::log(ratio)}).requires_grad_(true);
  const PolicyLoss result = ppo_policy_loss(log_probs, row({0}), row({advantage}), all(1), clip);
  result.loss.backward();
  return {result.loss.item<double>(), log_probs.grad().item<double>(),
          result.clip_fraction.item<double>()};
}

TEST(PolicyLoss, BeforeTheFirstUpdateIsMinusTheMeanAdvantage) {
  const Tensor log_probs = row({-1, -2, -3}).requires_grad_(true);
  const PolicyLoss result = ppo_policy_loss(log_probs, log_probs.detach(), row({1, -2, 4}), all(3));
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), -1.0);
  EXPECT_EQ(result.ratio_mean.item<double>(), 1.0);
  EXPECT_EQ(result.clip_fraction.item<double>(), 0.0);
  EXPECT_EQ(result.approx_kl.item<double>(), 0.0);
  result.loss.backward();
  EXPECT_THAT(log_probs.grad(), TensorNear(row({-1, 2, -4}) / 3, 1e-15));
}

TEST(PolicyLoss, AGoodTokenGainsNothingBeyondTheUpperClip) {
  const OneToken token = one_token(1.5, 2.0);
  EXPECT_DOUBLE_EQ(token.loss, -2.4);
  EXPECT_EQ(token.gradient, 0.0);
  EXPECT_EQ(token.clip_fraction, 1.0);
}

TEST(PolicyLoss, AGoodTokenThatBecameRareKeepsItsGradient) {
  const OneToken token = one_token(0.5, 2.0);
  EXPECT_DOUBLE_EQ(token.loss, -1.0);
  EXPECT_DOUBLE_EQ(token.gradient, -1.0);
  EXPECT_EQ(token.clip_fraction, 0.0);
}

TEST(PolicyLoss, ABadTokenGainsNothingBelowTheLowerClip) {
  const OneToken token = one_token(0.5, -2.0, {.low = 0.1});
  EXPECT_DOUBLE_EQ(token.loss, 1.8);
  EXPECT_EQ(token.gradient, 0.0);
  EXPECT_EQ(token.clip_fraction, 1.0);
}

TEST(PolicyLoss, ABadTokenThatBecameLikelyKeepsItsGradient) {
  const OneToken token = one_token(4.0, -2.0);
  EXPECT_DOUBLE_EQ(token.loss, 8.0);
  EXPECT_DOUBLE_EQ(token.gradient, 8.0);
}

TEST(PolicyLoss, TheDualClipBoundsABadTokensLoss) {
  const OneToken token = one_token(4.0, -2.0, {.dual = 3.0});
  EXPECT_DOUBLE_EQ(token.loss, 6.0);
  EXPECT_EQ(token.gradient, 0.0);
  EXPECT_EQ(token.clip_fraction, 0.0);
  EXPECT_DOUBLE_EQ(one_token(4.0, 2.0, {.dual = 3.0}).loss, -2.4);
  EXPECT_DOUBLE_EQ(one_token(2.0, -2.0, {.dual = 3.0}).loss, 4.0);
}

TEST(PolicyLoss, ClipsAreAsymmetricAndMayBeOff) {
  EXPECT_DOUBLE_EQ(one_token(1.5, 1.0, {.low = 0.2, .high = 0.28}).loss, -1.28);
  EXPECT_DOUBLE_EQ(one_token(1.5, 1.0, {.high = infinity}).loss, -1.5);
  EXPECT_DOUBLE_EQ(one_token(0.01, -1.0, {.low = 1.0}).loss, 0.01);
}

TEST(PolicyLoss, ATokenWithoutAdvantageIsNeitherLossNorClipped) {
  const OneToken token = one_token(9.0, 0.0);
  EXPECT_EQ(token.loss, 0.0);
  EXPECT_EQ(token.gradient, 0.0);
  EXPECT_EQ(token.clip_fraction, 0.0);
}

TEST(PolicyLoss, AnOverflowingRatioIsClippedLikeAnyOther) {
  const Tensor log_probs = torch::tensor({{-1.0f, -1.0f}}).requires_grad_(true);
  const Tensor old_log_probs = torch::tensor({{-1000.0f, -1.0f}});
  const PolicyLoss result =
      ppo_policy_loss(log_probs, old_log_probs, torch::tensor({{1.0f, 1.0f}}), all(2));
  EXPECT_FLOAT_EQ(result.loss.item<float>(), -1.1f);
  result.loss.backward();
  EXPECT_THAT(log_probs.grad(), TensorEquals(torch::tensor({{0.0f, -0.5f}})));
}

TEST(PolicyLoss, TheDenominatorDividesLossAndMetrics) {
  const Tensor log_probs = row({0.5, 0.1}), zeros = row({0, 0}), ones = row({1, 1});
  const PolicyLoss mean = ppo_policy_loss(log_probs, zeros, ones, all(2));
  const PolicyLoss share = ppo_policy_loss(log_probs, zeros, ones, all(2), {}, 8.0);
  EXPECT_DOUBLE_EQ(share.loss.item<double>(), mean.loss.item<double>() / 4);
  EXPECT_DOUBLE_EQ(share.clip_fraction.item<double>(), 0.125);
  EXPECT_DOUBLE_EQ(share.approx_kl.item<double>(), mean.approx_kl.item<double>() / 4);
  EXPECT_DOUBLE_EQ(share.ratio_mean.item<double>(), mean.ratio_mean.item<double>() / 4);
}

TEST(PolicyLoss, MetricsCarryNoGradient) {
  const Tensor log_probs = row({0.5}).requires_grad_(true);
  const PolicyLoss result = ppo_policy_loss(log_probs, row({0}), row({1}), all(1));
  EXPECT_TRUE(result.loss.requires_grad());
  for (const Tensor& metric : {result.clip_fraction, result.approx_kl, result.ratio_mean}) {
    EXPECT_FALSE(metric.requires_grad());
    EXPECT_EQ(metric.dim(), 0);
  }
}

TEST(PolicyLoss, BadArgumentsAreNamed) {
  const Tensor x = row({1, 2});
  const auto with = [&](const PpoClip& clip) {
    return [&, clip] { ppo_policy_loss(x, x, x, all(2), clip); };
  };
  EXPECT_THAT(error_of(with({.low = 0})), HasSubstr("PpoClip::low: expected in (0, 1], got 0"));
  EXPECT_THAT(error_of(with({.low = 1.5})), HasSubstr("PpoClip::low: expected in (0, 1], got 1.5"));
  EXPECT_THAT(error_of(with({.high = -0.1})), HasSubstr("PpoClip::high: expected > 0, got -0.1"));
  EXPECT_THAT(error_of(with({.dual = 0.5})),
              HasSubstr("PpoClip::dual: expected 0 (off) or > 1, got 0.5"));
  EXPECT_THAT(error_of([&] { ppo_policy_loss(x, row({1}), x, all(2)); }),
              HasSubstr("old_log_probs: expected [1, 2], got [1, 1]"));
  EXPECT_THAT(error_of([&] { ppo_policy_loss(x, x, row({1}), all(2)); }),
              HasSubstr("advantages: expected [1, 2]"));
  EXPECT_THAT(error_of([&] { ppo_policy_loss(x, x, x, all(2).logical_not()); }),
              HasSubstr("mask: expected at least one"));
  EXPECT_THAT(error_of([&] { ppo_policy_loss(x, x, x, all(2), {}, 0.0); }),
              HasSubstr("denominator: expected > 0 and finite, got 0"));
}

TEST(ValueLoss, IsHalfTheLargerOfTwoSquaredErrors) {
  // Unclipped 1 -> (1 - 3)^2; clipped to .2 -> (.2 - 3)^2, the larger.
  const Tensor values = row({1, 0.1}).requires_grad_(true);
  const ValueLoss result = ppo_value_loss(values, row({0, 0}), row({3, 3}), all(2));
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), 0.25 * (2.8 * 2.8 + 2.9 * 2.9));
  EXPECT_EQ(result.clip_fraction.item<double>(), 0.5);
  result.loss.backward();
  EXPECT_THAT(values.grad(), TensorNear(row({0, -1.45}), 1e-15));
}

TEST(ValueLoss, AValueThatOvershootsIsPulledBack) {
  // Unclipped 5 -> (5 - 3)^2 = 4; clipped to 2.7 -> .09: the larger is the unclipped one.
  const Tensor values = row({5}).requires_grad_(true);
  ppo_value_loss(values, row({2.5}), row({3}), all(1)).loss.backward();
  EXPECT_THAT(values.grad(), TensorNear(row({2}), 1e-15));
}

TEST(ValueLoss, AnInfiniteClipIsThePlainSquaredError) {
  const ValueLoss result = ppo_value_loss(row({9, 0}), row({0, 0}), row({1, 1}), all(2), infinity);
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), 0.25 * (64 + 1));
  EXPECT_EQ(result.clip_fraction.item<double>(), 0.0);
}

TEST(ValueLoss, BadArgumentsAreNamed) {
  const Tensor x = row({1, 2});
  EXPECT_THAT(error_of([&] { ppo_value_loss(x, x, x, all(2), 0.0); }),
              HasSubstr("clip of ppo_value_loss: expected > 0 (infinity: off), got 0"));
  EXPECT_THAT(error_of([&] { ppo_value_loss(x, x, x.to(torch::kFloat), all(2)); }),
              HasSubstr("returns: expected Double, got Float"));
}

}  // namespace
}  // namespace rlhf::objective
