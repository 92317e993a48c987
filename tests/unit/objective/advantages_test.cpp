#include "rlhf/objective/advantages.hpp"

#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/objective/group_advantages.hpp"
#include "support/error_of.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::error_of;
using test::TensorEquals;
using test::TensorNear;
using testing::HasSubstr;
using testing::Throws;

Tensor row(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble).unsqueeze(0);
}
Tensor mask_row(const std::vector<int64_t>& values) {
  return int64_tensor(values).to(torch::kBool).unsqueeze(0);
}

TEST(Gae, MatchesAHandComputedRow) {
  const auto [advantages, returns] =
      gae(row({1, 2, 3}), row({0.5, 0.25, 1}), mask_row({1, 1, 1}), {.gamma = 0.5, .lambda = 0.5});
  // delta = 1 + .125 - .5, 2 + .5 - .25, 3 - 1;  A_2 = 2, A_1 = 2.25 + 2/4, A_0 = .625 + 2.75/4
  EXPECT_THAT(advantages, TensorEquals(row({1.3125, 2.75, 2})));
  EXPECT_THAT(returns, TensorEquals(row({1.8125, 3, 3})));
}

TEST(Gae, StepsOverHoles) {
  const auto whole = gae(row({1, 2, 3}), row({0.5, 0.25, 1}), mask_row({1, 1, 1}), {.gamma = 0.9});
  const auto holed = gae(row({1, 7, 2, 7, 3, 7}), row({0.5, 9, 0.25, 9, 1, 9}),
                         mask_row({1, 0, 1, 0, 1, 0}), {.gamma = 0.9});
  const Tensor counted = int64_tensor({0, 2, 4});
  EXPECT_THAT(holed.advantages.index_select(1, counted), TensorEquals(whole.advantages));
  EXPECT_THAT(holed.returns.index_select(1, counted), TensorEquals(whole.returns));
  EXPECT_THAT(holed.advantages.index_select(1, int64_tensor({1, 3, 5})),
              TensorEquals(row({0, 0, 0})));
}

TEST(Gae, MonteCarloReturnsAreTheRewardsToGo) {
  const auto [advantages, returns] =
      gae(row({1, 2, 4}), row({8, 16, 32}), mask_row({1, 1, 1}), {.gamma = 1, .lambda = 1});
  EXPECT_THAT(returns, TensorEquals(row({7, 6, 4})));
  EXPECT_THAT(advantages, TensorEquals(row({-1, -10, -28})));
}

TEST(Gae, KeepsTheTypeAndPassesNoGradient) {
  const Tensor values = torch::zeros({1, 2}).requires_grad_(true);
  const auto [advantages, returns] = gae(torch::ones({1, 2}), values, mask_row({1, 1}));
  EXPECT_EQ(advantages.scalar_type(), torch::kFloat);
  EXPECT_FALSE(advantages.requires_grad());
  EXPECT_FALSE(returns.requires_grad());
}

TEST(Gae, ReadsNonContiguousInputs) {
  const Tensor rewards = torch::tensor({1.0, 2.0, 3.0, 4.0}, torch::kDouble).view({2, 2}).t();
  const Tensor mask = torch::ones({2, 2}, torch::kBool);
  const auto strided = gae(rewards, torch::zeros_like(rewards), mask);
  const auto dense = gae(rewards.contiguous(), torch::zeros({2, 2}, torch::kDouble), mask);
  EXPECT_THAT(strided.advantages, TensorEquals(dense.advantages));
}

TEST(Gae, BadArgumentsAreNamed) {
  const Tensor x = row({1, 2});
  EXPECT_THAT(error_of([&] {
                gae(x, x, mask_row({0, 0}));
              }),
              HasSubstr("mask: expected at least one true in every row, got none in row 0"));
  EXPECT_THAT(error_of([&] { gae(x, x, x); }), HasSubstr("mask: expected Bool, got Double"));
  EXPECT_THAT(error_of([&] {
                gae(x, row({1}), mask_row({1, 1}));
              }),
              HasSubstr("values: expected [1, 2], got [1, 1]"));
  EXPECT_THAT(error_of([&] {
                gae(row({1}), x, mask_row({1, 1}));
              }),
              HasSubstr("rewards: expected [1, 2]"));
  EXPECT_THAT(error_of([&] {
                gae(x, x, mask_row({1, 1}), {.gamma = 1.1});
              }),
              HasSubstr("GaeOptions::gamma: expected in [0, 1], got 1.1"));
  EXPECT_THAT(error_of([&] {
                gae(x, x, mask_row({1, 1}), {.lambda = std::nan("")});
              }),
              HasSubstr("GaeOptions::lambda: expected in [0, 1], got nan"));
}

TEST(KlShapedRewards, TheScoreLandsOnTheLastCountedToken) {
  const Tensor mask =
      torch::cat({mask_row({1, 1, 0, 0}), mask_row({1, 0, 1, 0}), mask_row({1, 1, 1, 1})});
  const Tensor kl = torch::ones({3, 4}, torch::kDouble);
  const Tensor rewards = kl_shaped_rewards(row({10, 20, 30})[0], kl, mask, 0.5);
  EXPECT_THAT(rewards, TensorEquals(torch::cat({row({-0.5, 9.5, 0, 0}), row({-0.5, 0, 19.5, 0}),
                                                row({-0.5, -0.5, -0.5, 29.5})})));
}

TEST(KlShapedRewards, OneScoreARowIsNeeded) {
  EXPECT_THAT(error_of([] {
                kl_shaped_rewards(row({1, 2})[0], row({1, 2}), mask_row({1, 1}), 0.1);
              }),
              HasSubstr("scores: expected [1], got [2]"));
  EXPECT_THAT(error_of([] {
                kl_shaped_rewards(torch::zeros({1}), row({1, 2}), mask_row({1, 1}), 0.1);
              }),
              HasSubstr("scores: expected Double, got Float"));
  EXPECT_THAT(
      error_of([] { kl_shaped_rewards(row({1})[0], row({1}), mask_row({1}), std::nan("")); }),
      HasSubstr("KL coefficient: expected a finite number, got nan"));
}

TEST(Whiten, MovesTheMeanToZeroOrKeepsIt) {
  const Tensor x = row({1, 3, 777, 5}), mask = mask_row({1, 1, 0, 1});
  const double scale = 1 / std::sqrt(8.0 / 3 + 1e-8);
  EXPECT_THAT(whiten(x, mask), TensorNear(row({-2 * scale, 0, 0, 2 * scale}), 1e-15));
  EXPECT_THAT(whiten(x, mask, WhitenMean::keep),
              TensorNear(row({3 - 2 * scale, 3, 0, 3 + 2 * scale}), 1e-15));
}

TEST(Whiten, ASingleTokenBecomesZero) {
  EXPECT_THAT(whiten(row({7, 7}), mask_row({1, 0})), TensorEquals(row({0, 0})));
}

TEST(GrpoAdvantages, ScalesByTheDeviationOfTheGroup) {
  const Tensor scores = row({1, 5, 3, 5})[0], groups = int64_tensor({8, 2, 8, 2});
  const double unit = 1 / (std::sqrt(2.0) + 1e-4);
  EXPECT_THAT(grpo_advantages(scores, groups), TensorNear(row({-unit, 0, unit, 0})[0], 1e-15));
}

TEST(RlooAdvantages, ComparesWithTheMeanOfTheOthers) {
  const Tensor scores = row({1, 10, 2, 6, 30})[0], groups = int64_tensor({0, 1, 0, 0, 1});
  EXPECT_THAT(rloo_advantages(scores, groups), TensorEquals(row({-3, -20, -1.5, 4.5, 20})[0]));
}

TEST(GroupAdvantages, AGroupOfOneIsAnError) {
  const Tensor scores = row({1, 2, 3})[0], groups = int64_tensor({4, 4, 9});
  EXPECT_THAT(error_of([&] { rloo_advantages(scores, groups); }),
              HasSubstr("samples of group 9: expected >= 2, got 1"));
  EXPECT_THAT([&] { grpo_advantages(scores, groups); }, Throws<Error>());
  EXPECT_THAT(error_of([&] {
                grpo_advantages(scores, int64_tensor({4, 4}));
              }),
              HasSubstr("groups: expected [3], got [2]"));
}

}  // namespace
}  // namespace rlhf::objective
