#include "rlhf/objective/ranking.hpp"

#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/objective/dpo.hpp"
#include "support/error_of.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::doubles;
using test::error_of;
using test::TensorNear;
using testing::HasSubstr;

double loss_of_lead(double lead) {
  return std::log1p(std::exp(-lead));
}

TEST(RankingLoss, AveragesTheGroupsNotThePairs) {
  // One pair of lead 1; three pairs of leads 1, 3, 2.
  const RankingLoss result = ranking_loss(doubles({1, 0, 3, 2, 0}), int64_tensor({2, 3}));
  const double triple = (loss_of_lead(1) + loss_of_lead(3) + loss_of_lead(2)) / 3;
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), (loss_of_lead(1) + triple) / 2);
  EXPECT_EQ(result.accuracy.item<double>(), 1.0);
  EXPECT_DOUBLE_EQ(result.margin.item<double>(), (1 + 1 + 3 + 2) / 4.0);
}

TEST(RankingLoss, EqualScoresCountOneHalf) {
  const RankingLoss result = ranking_loss(doubles({1, 1, 0, 2}), int64_tensor({2, 2}));
  EXPECT_EQ(result.accuracy.item<double>(), 0.25);
}

TEST(RankingLoss, EqualRanksMakeNoPair) {
  const RankingLoss result =
      ranking_loss(doubles({5, -5, 0}), int64_tensor({3}), int64_tensor({1, 1, 2}));
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), (loss_of_lead(5) + loss_of_lead(-5)) / 2);
  EXPECT_EQ(result.accuracy.item<double>(), 0.5);
}

TEST(RankingLoss, AGroupOfTiesIsNoGroup) {
  const Tensor sizes = int64_tensor({2, 2}), ranks = int64_tensor({0, 0, 0, 1});
  EXPECT_DOUBLE_EQ(ranking_loss(doubles({9, 1, 2, 0}), sizes, ranks).loss.item<double>(),
                   loss_of_lead(2));
  EXPECT_EQ(rankable_groups(sizes, ranks), 1);
  EXPECT_EQ(rankable_groups(sizes), 2);
}

TEST(RankingLoss, RanksRatherThanPlacesSayWhatIsBetter) {
  const RankingLoss result = ranking_loss(doubles({0, 2}), int64_tensor({2}), int64_tensor({7, 3}));
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), loss_of_lead(2));
}

TEST(RankingLoss, TheMarginIsTakenFromTheLead) {
  const RankingLoss result = ranking_loss(doubles({1, 0}), int64_tensor({2}), {}, 0.25);
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), loss_of_lead(0.75));
  EXPECT_DOUBLE_EQ(result.margin.item<double>(), 1.0);
}

TEST(RankingLoss, IsFiniteForAnyLead) {
  const Tensor scores = doubles({-4000, 4000}).requires_grad_(true);
  const RankingLoss result = ranking_loss(scores, int64_tensor({2}));
  EXPECT_DOUBLE_EQ(result.loss.item<double>(), 8000);
  result.loss.backward();
  EXPECT_THAT(scores.grad(), TensorNear(doubles({-1, 1}), 1e-15));
}

TEST(RankingLoss, AMicrobatchOfTiesAloneIsZero) {
  const Tensor scores = doubles({1, 2}).requires_grad_(true);
  const RankingLoss result =
      ranking_loss(scores, int64_tensor({2}), int64_tensor({0, 0}), 0.0, 4.0);
  EXPECT_EQ(result.loss.item<double>(), 0.0);
  result.loss.backward();
  EXPECT_THAT(scores.grad(), TensorNear(doubles({0, 0}), 0.0));
}

TEST(RankingLoss, BadArgumentsAreNamed) {
  const Tensor scores = doubles({1, 2, 3});
  EXPECT_THAT(error_of([&] { ranking_loss(scores, int64_tensor({2})); }),
              HasSubstr("scores: expected [2], got [3]"));
  EXPECT_THAT(error_of([&] {
                ranking_loss(scores, int64_tensor({2, 1}));
              }),
              HasSubstr("group_sizes: expected >= 2, got 1"));
  EXPECT_THAT(error_of([&] { ranking_loss(scores, int64_tensor({})); }),
              HasSubstr("group_sizes: expected at least one"));
  EXPECT_THAT(error_of([&] { ranking_loss(scores, doubles({3})); }),
              HasSubstr("group_sizes: expected Long, got Double"));
  EXPECT_THAT(error_of([&] {
                ranking_loss(scores, int64_tensor({3}), int64_tensor({1, 2}));
              }),
              HasSubstr("ranks: expected [3], got [2]"));
  EXPECT_THAT(error_of([&] {
                ranking_loss(scores, int64_tensor({3}), int64_tensor({1, 1, 1}));
              }),
              HasSubstr("groups with a pair: expected >= 1, got 0"));
  EXPECT_THAT(error_of([&] { ranking_loss(scores, int64_tensor({3}), {}, std::nan("")); }),
              HasSubstr("margin: expected"));
  EXPECT_THAT(error_of([&] { ranking_loss(scores, int64_tensor({3}), {}, 0.0, -1.0); }),
              HasSubstr("denominator: expected"));
}

TEST(DpoLoss, ComparesTheGainsOverTheReference) {
  const Tensor loss =
      dpo_loss(doubles({-1, -5}), doubles({-4, -5}), doubles({-2, -5}), doubles({-3, -5}), 0.5);
  EXPECT_THAT(loss, TensorNear(doubles({loss_of_lead(1), std::log(2.0)}), 1e-15));
}

TEST(DpoLoss, BadArgumentsAreNamed) {
  const Tensor x = doubles({1, 2});
  EXPECT_THAT(error_of([&] { dpo_loss(x, x, x, x, 0.0); }),
              HasSubstr("beta: expected > 0 and finite, got 0"));
  EXPECT_THAT(error_of([&] { dpo_loss(x, x, x, doubles({1}), 0.1); }),
              HasSubstr("ref_rejected: expected [2], got [1]"));
}

}  // namespace
}  // namespace rlhf::objective
