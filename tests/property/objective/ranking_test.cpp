#include "rlhf/objective/ranking.hpp"

#include <cmath>

#include "rlhf/objective/dpo.hpp"
#include "support/gradient_check.hpp"
#include "support/ragged.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::gradients_match;
using test::random_integers;
using test::random_normal;
using test::TensorNear;
using test::Tensors;

/// Groups of 2 to 5; ranks of 0 to 2, so that ties are common; the first group surely has a pair.
struct Batch {
  std::vector<int64_t> sizes;
  Tensor scores, ranks;
};
Batch random_batch(uint64_t seed) {
  Generator generator(seed);
  std::vector<int64_t> sizes;
  int64_t total = 0;
  for (int64_t g = 1 + generator.below(4); g >= 0; --g) {
    sizes.push_back(2 + generator.below(4));
    total += sizes.back();
  }
  Tensor ranks = random_integers(generator, 3, {total});
  ranks[0] = 0;
  ranks[1] = 1;
  return {sizes, random_normal(generator, {total}), ranks};
}

TEST(RankingLoss, MatchesThePlainLoop) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Batch batch = random_batch(seed);
    const auto s = batch.scores.accessor<double, 1>();
    const auto rank = batch.ranks.accessor<int64_t, 1>();
    double loss = 0, groups = 0, right = 0, pairs = 0, leads = 0;
    int64_t begin = 0;
    for (int64_t size : batch.sizes) {
      double group_loss = 0, group_pairs = 0;
      for (int64_t a = begin; a < begin + size; ++a) {
        for (int64_t b = begin; b < begin + size; ++b) {
          if (rank[a] >= rank[b]) continue;
          group_loss -= std::log(1 / (1 + std::exp(-(s[a] - s[b] - 0.2))));
          right += s[a] > s[b], leads += s[a] - s[b], group_pairs += 1;
        }
      }
      begin += size;
      if (group_pairs == 0) continue;
      loss += group_loss / group_pairs, groups += 1, pairs += group_pairs;
    }
    const Tensor sizes = int64_tensor(batch.sizes);
    const RankingLoss result = ranking_loss(batch.scores, sizes, batch.ranks, 0.2);
    EXPECT_NEAR(result.loss.item<double>(), loss / groups, 1e-13);
    EXPECT_NEAR(result.accuracy.item<double>(), right / pairs, 1e-15);
    EXPECT_NEAR(result.margin.item<double>(), leads / pairs, 1e-13);
    EXPECT_EQ(rankable_groups(sizes, batch.ranks), static_cast<int64_t>(groups));
  }
}

TEST(RankingLoss, GradientsMatchCentralDifferences) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const Batch batch = random_batch(seed);
    for (const auto& ranks : {std::optional<Tensor>(), std::optional(batch.ranks)}) {
      EXPECT_TRUE(gradients_match(
          [&](const Tensors& x) {
            return ranking_loss(x[0], int64_tensor(batch.sizes), ranks, 0.3).loss;
          },
          {batch.scores}));
    }
  }
}

TEST(RankingLoss, MicrobatchesAddUpToTheBatch) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const Batch batch = random_batch(seed);
    const double groups =
        static_cast<double>(rankable_groups(int64_tensor(batch.sizes), batch.ranks));
    const auto loss_of = [&](int64_t begin, int64_t end, const std::vector<int64_t>& sizes) {
      const RankingLoss r = ranking_loss(batch.scores.slice(0, begin, end), int64_tensor(sizes),
                                         batch.ranks.slice(0, begin, end), 0.1, groups);
      return torch::stack({r.loss, r.accuracy, r.margin});
    };
    Tensor sum = torch::zeros({3}, torch::kDouble);
    int64_t begin = 0;
    for (int64_t size : batch.sizes) {
      sum += loss_of(begin, begin + size, {size});
      begin += size;
    }
    EXPECT_THAT(sum, TensorNear(loss_of(0, begin, batch.sizes), 1e-14));
    const RankingLoss whole =
        ranking_loss(batch.scores, int64_tensor(batch.sizes), batch.ranks, 0.1);
    EXPECT_THAT(sum[0], TensorNear(whole.loss, 1e-14));
  }
}

TEST(DpoLoss, MatchesThePlainLoopAndItsGradient) {
  Generator generator(1);
  const Tensors inputs{random_normal(generator, {6}), random_normal(generator, {6}),
                       random_normal(generator, {6}), random_normal(generator, {6})};
  const Tensor loss = dpo_loss(inputs[0], inputs[1], inputs[2], inputs[3], 0.3);
  for (int64_t i = 0; i < 6; ++i) {
    const auto at = [&](size_t k) { return inputs[k][i].item<double>(); };
    const double lead = 0.3 * ((at(0) - at(2)) - (at(1) - at(3)));
    EXPECT_NEAR(loss[i].item<double>(), -std::log(1 / (1 + std::exp(-lead))), 1e-14);
  }
  EXPECT_TRUE(gradients_match(
      [](const Tensors& x) { return dpo_loss(x[0], x[1], x[2], x[3], 0.3); }, inputs));
}

}  // namespace
}  // namespace rlhf::objective
