#include "rlhf/objective/advantages.hpp"

#include <cmath>

#include "rlhf/objective/group_advantages.hpp"
#include "support/gradient_check.hpp"
#include "support/ragged.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::gradients_match;
using test::Holes;
using test::ignores_masked;
using test::random_integers;
using test::random_mask;
using test::random_normal;
using test::TensorNear;
using test::Tensors;

/// A batch of random shape, with and without holes.
struct Batch {
  Tensor mask, x, y;
};
Batch random_batch(uint64_t seed) {
  Generator generator(seed);
  const int64_t rows = 1 + generator.below(5), width = 1 + generator.below(8);
  return {random_mask(generator, rows, width, seed % 2 ? Holes::some : Holes::none),
          random_normal(generator, {rows, width}), random_normal(generator, {rows, width})};
}

std::vector<int64_t> counted_slots(const Tensor& mask, int64_t row) {
  return int64_vector(mask[row].nonzero().view(-1));
}

/// A_t = sum over the counted tokens that follow of (gamma lambda)^steps delta.
Advantages gae_oracle(const Tensor& rewards, const Tensor& values, const Tensor& mask,
                      const GaeOptions& options) {
  const auto r = rewards.accessor<double, 2>(), v = values.accessor<double, 2>();
  Advantages result{torch::zeros_like(rewards), torch::zeros_like(rewards)};
  for (int64_t row = 0; row < mask.size(0); ++row) {
    const std::vector<int64_t> slots = counted_slots(mask, row);
    for (size_t k = 0; k < slots.size(); ++k) {
      double advantage = 0;
      for (size_t m = k; m < slots.size(); ++m) {
        const double next = m + 1 < slots.size() ? v[row][slots[m + 1]] : 0.0;
        const double delta = r[row][slots[m]] + options.gamma * next - v[row][slots[m]];
        advantage += std::pow(options.gamma * options.lambda, static_cast<double>(m - k)) * delta;
      }
      result.advantages[row][slots[k]] = advantage;
      result.returns[row][slots[k]] = advantage + v[row][slots[k]];
    }
  }
  return result;
}

TEST(Gae, MatchesThePlainLoop) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto [mask, rewards, values] = random_batch(seed);
    for (const GaeOptions options : {GaeOptions{}, GaeOptions{.gamma = 0.9, .lambda = 0.8},
                                     GaeOptions{.gamma = 0.0, .lambda = 0.5}}) {
      const Advantages actual = gae(rewards, values, mask, options);
      const Advantages expected = gae_oracle(rewards, values, mask, options);
      EXPECT_THAT(actual.advantages, TensorNear(expected.advantages, 1e-13));
      EXPECT_THAT(actual.returns, TensorNear(expected.returns, 1e-13));
    }
  }
}

TEST(Gae, MaskedValuesNeverMatter) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto [mask, rewards, values] = random_batch(seed);
    const Advantages clean = gae(rewards, values, mask);
    const Advantages poisoned = gae(rewards.masked_fill(~mask, std::nan("")),
                                    values.masked_fill(~mask, std::nan("")), mask);
    EXPECT_THAT(poisoned.advantages, test::TensorEquals(clean.advantages));
    EXPECT_THAT(poisoned.returns, test::TensorEquals(clean.returns));
  }
}

TEST(Gae, Float32AgreesWithFloat64) {
  const auto [mask, rewards, values] = random_batch(3);
  const Advantages wide = gae(rewards, values, mask);
  const Advantages narrow = gae(rewards.to(torch::kFloat), values.to(torch::kFloat), mask);
  EXPECT_THAT(narrow.advantages.to(torch::kDouble), TensorNear(wide.advantages, 1e-6));
}

TEST(KlShapedRewards, MatchesThePlainLoop) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Batch batch = random_batch(seed);
    const Tensor scores = batch.y.select(1, 0).contiguous();
    Tensor expected = torch::zeros_like(batch.x);
    for (int64_t row = 0; row < batch.mask.size(0); ++row) {
      const std::vector<int64_t> slots = counted_slots(batch.mask, row);
      for (int64_t slot : slots) expected[row][slot] = -0.3 * batch.x[row][slot];
      expected[row][slots.back()] += scores[row];
    }
    EXPECT_THAT(kl_shaped_rewards(scores, batch.x, batch.mask, 0.3), TensorNear(expected, 1e-15));
  }
}

TEST(KlShapedRewards, IsDifferentiableAndIgnoresTheMasked) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Batch batch = random_batch(seed);
    const Tensors inputs{batch.y.select(1, 0).contiguous(), batch.x};
    const auto function = [&](const Tensors& in) {
      return kl_shaped_rewards(in[0], in[1], batch.mask, 0.3);
    };
    EXPECT_TRUE(gradients_match(function, inputs));
    EXPECT_TRUE(ignores_masked(function, inputs, batch.mask));
  }
}

TEST(Whiten, MatchesThePlainLoop) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Batch batch = random_batch(seed);
    const auto x = batch.x.accessor<double, 2>();
    const auto mask = batch.mask.accessor<bool, 2>();
    double count = 0, mean = 0, variance = 0;
    const auto each = [&](const auto& visit) {
      for (int64_t i = 0; i < batch.x.size(0); ++i) {
        for (int64_t j = 0; j < batch.x.size(1); ++j) {
          if (mask[i][j]) visit(i, j);
        }
      }
    };
    each([&](int64_t i, int64_t j) { count += 1, mean += x[i][j]; });
    mean /= count;
    each([&](int64_t i, int64_t j) { variance += (x[i][j] - mean) * (x[i][j] - mean) / count; });
    Tensor removed = torch::zeros_like(batch.x), kept = torch::zeros_like(batch.x);
    each([&](int64_t i, int64_t j) {
      removed[i][j] = (x[i][j] - mean) / std::sqrt(variance + 1e-8);
      kept[i][j] = removed[i][j] + mean;
    });
    // A batch of one token divides its rounding error by 1e-4.
    const double tolerance = count > 1 ? 1e-13 : 1e-11;
    EXPECT_THAT(whiten(batch.x, batch.mask), TensorNear(removed, tolerance));
    EXPECT_THAT(whiten(batch.x, batch.mask, WhitenMean::keep), TensorNear(kept, tolerance));
  }
}

TEST(Whiten, IsDifferentiableAndIgnoresTheMasked) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    Generator generator(seed);
    const Tensor mask = random_mask(generator, 4, 6, seed % 2 ? Holes::some : Holes::none);
    const Tensors inputs{random_normal(generator, {4, 6})};
    for (const auto mean : {WhitenMean::remove, WhitenMean::keep}) {
      const auto function = [&](const Tensors& in) { return whiten(in[0], mask, mean); };
      EXPECT_TRUE(gradients_match(function, inputs));
      EXPECT_TRUE(ignores_masked(function, inputs, mask));
    }
  }
}

TEST(GroupAdvantages, MatchThePlainLoop) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Generator generator(seed);
    const Tensor ids = random_integers(generator, 3, {8});
    const Tensor groups =
        torch::cat({ids, int64_tensor({0, 0, 1, 1, 2, 2})});  // each at least twice
    const Tensor scores = random_normal(generator, {14});
    Tensor grpo = torch::zeros_like(scores), rloo = torch::zeros_like(scores);
    for (int64_t i = 0; i < 14; ++i) {
      double count = 0, sum = 0, squares = 0;
      for (int64_t j = 0; j < 14; ++j) {
        if (groups[j].item<int64_t>() != groups[i].item<int64_t>()) continue;
        count += 1, sum += scores[j].item<double>(),
            squares += std::pow(scores[j].item<double>(), 2);
      }
      const double score = scores[i].item<double>(), mean = sum / count;
      grpo[i] = (score - mean) / (std::sqrt((squares - count * mean * mean) / (count - 1)) + 1e-4);
      rloo[i] = score - (sum - score) / (count - 1);
    }
    EXPECT_THAT(grpo_advantages(scores, groups), TensorNear(grpo, 1e-11));
    EXPECT_THAT(rloo_advantages(scores, groups), TensorNear(rloo, 1e-13));
  }
}

}  // namespace
}  // namespace rlhf::objective
