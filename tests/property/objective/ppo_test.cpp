#include "rlhf/objective/ppo.hpp"

#include <algorithm>
#include <cmath>

#include "support/gradient_check.hpp"
#include "support/ragged.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::gradients_match;
using test::Holes;
using test::ignores_masked;
using test::random_mask;
using test::random_normal;
using test::Tensors;

/// Inputs [B, T] of both losses: what is trained, what it was, and advantages or returns.
struct Update {
  Tensor mask, now, old, target;
  Tensors inputs() const { return {now, old, target}; }
};
Update random_update(uint64_t seed) {
  Generator generator(seed);
  const int64_t rows = 1 + generator.below(5), width = 1 + generator.below(8);
  const Tensor old = random_normal(generator, {rows, width});
  return {random_mask(generator, rows, width, seed % 2 ? Holes::some : Holes::none),
          old + 0.5 * random_normal(generator, {rows, width}), old,
          random_normal(generator, {rows, width})};
}

const std::vector<PpoClip> clips{
    {}, {.low = 0.2, .high = 0.28}, {.low = 0.1, .high = 0.4, .dual = 1.5}};

/// Calls visit(now, old, target) for every counted token.
template <class Visit>
void each_token(const Update& batch, const Visit& visit) {
  for (int64_t i = 0; i < batch.mask.size(0); ++i) {
    for (int64_t j = 0; j < batch.mask.size(1); ++j) {
      if (!batch.mask[i][j].item<bool>()) continue;
      visit(batch.now[i][j].item<double>(), batch.old[i][j].item<double>(),
            batch.target[i][j].item<double>());
    }
  }
}

TEST(PolicyLoss, MatchesThePlainLoop) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Update batch = random_update(seed);
    for (const PpoClip& clip : clips) {
      double count = 0, loss = 0, clipped_count = 0, approx_kl = 0, ratios = 0;
      each_token(batch, [&](double now, double old, double advantage) {
        const double ratio = std::exp(now - old);
        const double plain = -advantage * ratio;
        const double clipped = -advantage * std::clamp(ratio, 1 - clip.low, 1 + clip.high);
        double worst = std::max(plain, clipped);
        if (clip.dual > 0 && advantage < 0) worst = std::min(worst, -advantage * clip.dual);
        loss += worst, clipped_count += clipped > plain, ratios += ratio, count += 1;
        approx_kl += (now - old) * (now - old) / 2;
      });
      const PolicyLoss result =
          ppo_policy_loss(batch.now, batch.old, batch.target, batch.mask, clip);
      EXPECT_NEAR(result.loss.item<double>(), loss / count, 1e-13);
      EXPECT_NEAR(result.clip_fraction.item<double>(), clipped_count / count, 1e-15);
      EXPECT_NEAR(result.approx_kl.item<double>(), approx_kl / count, 1e-13);
      EXPECT_NEAR(result.ratio_mean.item<double>(), ratios / count, 1e-13);
    }
  }
}

TEST(PolicyLoss, IsDifferentiableAndIgnoresTheMasked) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const Update batch = random_update(seed);
    for (const PpoClip& clip : clips) {
      const auto function = [&](const Tensors& in) {
        return ppo_policy_loss(in[0], in[1], in[2], batch.mask, clip).loss;
      };
      EXPECT_TRUE(gradients_match(function, batch.inputs()));
      EXPECT_TRUE(ignores_masked(function, batch.inputs(), batch.mask));
    }
  }
}

TEST(PolicyLoss, MetricsIgnoreTheMasked) {
  const Update batch = random_update(5);
  const auto poison = [&](const Tensor& x) { return x.masked_fill(~batch.mask, std::nan("")); };
  const PolicyLoss clean = ppo_policy_loss(batch.now, batch.old, batch.target, batch.mask);
  const PolicyLoss poisoned =
      ppo_policy_loss(poison(batch.now), poison(batch.old), poison(batch.target), batch.mask);
  EXPECT_THAT(poisoned.clip_fraction, test::TensorEquals(clean.clip_fraction));
  EXPECT_THAT(poisoned.approx_kl, test::TensorEquals(clean.approx_kl));
  EXPECT_THAT(poisoned.ratio_mean, test::TensorEquals(clean.ratio_mean));
}

TEST(ValueLoss, MatchesThePlainLoop) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Update batch = random_update(seed);
    for (double clip : {0.2, 0.05, 2.0}) {
      double count = 0, loss = 0, clipped_count = 0;
      each_token(batch, [&](double now, double old, double target) {
        const double plain = std::pow(now - target, 2);
        const double clipped = std::pow(std::clamp(now, old - clip, old + clip) - target, 2);
        loss += std::max(plain, clipped) / 2, clipped_count += clipped > plain, count += 1;
      });
      const ValueLoss result = ppo_value_loss(batch.now, batch.old, batch.target, batch.mask, clip);
      EXPECT_NEAR(result.loss.item<double>(), loss / count, 1e-13);
      EXPECT_NEAR(result.clip_fraction.item<double>(), clipped_count / count, 1e-15);
    }
  }
}

TEST(ValueLoss, IsDifferentiableAndIgnoresTheMasked) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const Update batch = random_update(seed);
    const auto function = [&](const Tensors& in) {
      return ppo_value_loss(in[0], in[1], in[2], batch.mask, 0.3).loss;
    };
    EXPECT_TRUE(gradients_match(function, batch.inputs()));
    EXPECT_TRUE(ignores_masked(function, batch.inputs(), batch.mask));
  }
}

/// Rows [begin, end) alone, as narrow as their longest needs not be: padding is free.
Update rows_of(const Update& batch, int64_t begin, int64_t end) {
  const auto cut = [&](const Tensor& x) { return x.slice(0, begin, end); };
  return {cut(batch.mask), cut(batch.now), cut(batch.old), cut(batch.target)};
}

TEST(PpoLosses, MicrobatchesAddUpToTheBatch) {
  Generator generator(11);
  const Tensor old = random_normal(generator, {7, 6});
  const Update batch{random_mask(generator, 7, 6, Holes::some),
                     old + 0.5 * random_normal(generator, {7, 6}), old,
                     random_normal(generator, {7, 6})};
  const double tokens = batch.mask.sum().item<double>();
  const auto policy = [](const Update& b, std::optional<double> denominator) {
    const PolicyLoss r =
        ppo_policy_loss(b.now, b.old, b.target, b.mask, {.dual = 2.0}, denominator);
    return torch::stack({r.loss, r.clip_fraction, r.approx_kl, r.ratio_mean});
  };
  const auto value = [](const Update& b, std::optional<double> denominator) {
    const ValueLoss r = ppo_value_loss(b.now, b.old, b.target, b.mask, 0.2, denominator);
    return torch::stack({r.loss, r.clip_fraction});
  };
  const auto expect_additive = [&](const auto& losses) {
    Tensor sum = torch::zeros_like(losses(batch, {}));
    for (const auto& [begin, end] : {std::pair{0, 2}, {2, 3}, {3, 7}}) {
      sum += losses(rows_of(batch, begin, end), tokens);
    }
    EXPECT_THAT(sum, test::TensorNear(losses(batch, {}), 1e-14));
  };
  expect_additive(policy);
  expect_additive(value);
}

}  // namespace
}  // namespace rlhf::objective
