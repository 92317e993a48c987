#include "rlhf/objective/kl.hpp"

#include <cmath>
#include <limits>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::objective {
namespace {

using test::doubles;
using test::error_of;
using test::infinity;
using test::TensorEquals;
using test::TensorNear;
using testing::HasSubstr;

TEST(Kl, EstimatorsOfAHandWrittenDifference) {
  const Tensor log_probs = doubles({-1.0, -1.5}), ref_log_probs = doubles({-1.5, -1.0});
  const auto estimate = [&](KlEstimator estimator) {
    return kl(log_probs, ref_log_probs, estimator);
  };
  EXPECT_THAT(estimate(KlEstimator::k1), TensorEquals(doubles({0.5, -0.5})));
  EXPECT_THAT(estimate(KlEstimator::abs), TensorEquals(doubles({0.5, 0.5})));
  EXPECT_THAT(estimate(KlEstimator::k2), TensorEquals(doubles({0.125, 0.125})));
  EXPECT_THAT(estimate(KlEstimator::k3),
              TensorNear(doubles({std::exp(-0.5) - 0.5, std::exp(0.5) - 1.5}), 1e-15));
}

TEST(Kl, K3IsPositiveEvenForATinyDifference) {
  const double d = 1e-8;  // exp(-d) - 1 + d in plain arithmetic has no right digit
  const Tensor estimate = kl(doubles({d}), doubles({0.0}), KlEstimator::k3);
  EXPECT_NEAR(estimate.item<double>() / (d * d / 2), 1.0, 1e-6);
}

TEST(Kl, ShapesAndTypesMustAgree) {
  EXPECT_THAT(error_of([] {
                kl(torch::zeros({2, 3}), torch::zeros({3}), KlEstimator::k1);
              }),
              HasSubstr("ref_log_probs: expected [2, 3], got [3]"));
  EXPECT_THAT(error_of([] {
                kl(torch::zeros({2}), doubles({0, 0}), KlEstimator::k1);
              }),
              HasSubstr("ref_log_probs: expected Float, got Double"));
}

TEST(FullKl, IsTheDivergenceOfFirstFromSecond) {
  const Tensor p = doubles({0.5, 0.5}).log(), q = doubles({0.25, 0.75}).log();
  EXPECT_NEAR(full_kl(p, q).item<double>(), 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 1e-15);
  EXPECT_NEAR(full_kl(q, p).item<double>(), 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-15);
  EXPECT_EQ(full_kl(p, p).item<double>(), 0.0);
}

TEST(FullKl, ATokenForbiddenInBothAddsNothing) {
  const Tensor p = doubles({0.0, 0.0, -infinity}).requires_grad_(true);
  const Tensor q = doubles({0.0, std::log(3.0), -infinity}).requires_grad_(true);
  const Tensor result = full_kl(p, q);
  EXPECT_NEAR(result.item<double>(), 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 1e-15);
  result.backward();
  EXPECT_TRUE(p.grad().isfinite().all().item<bool>());
  EXPECT_THAT(q.grad(), TensorNear(doubles({-0.25, 0.25, 0.0}), 1e-15));
}

TEST(FullKl, ATokenForbiddenByTheReferenceAloneIsInfinitelyFar) {
  EXPECT_EQ(full_kl(doubles({0.0, 0.0}), doubles({0.0, -infinity})).item<double>(), infinity);
}

TEST(AdaptiveKl, RisesAboveTheTargetAndFallsBelowIt) {
  AdaptiveKl controller(0.1, 6.0, 1000.0);
  controller.update(6.0, 100);
  EXPECT_DOUBLE_EQ(controller.coefficient(), 0.1);
  controller.update(6.6, 100);
  EXPECT_DOUBLE_EQ(controller.coefficient(), 0.1 * 1.01);
  controller.update(0.0, 100);
  EXPECT_DOUBLE_EQ(controller.coefficient(), 0.1 * 1.01 * 0.98);
}

TEST(AdaptiveKl, ADistantKlCountsAsTwentyPercent) {
  AdaptiveKl controller(0.1, 6.0, 1000.0);
  controller.update(1e9, 1000);
  EXPECT_DOUBLE_EQ(controller.coefficient(), 0.1 * 1.2);
}

TEST(AdaptiveKl, WhatCannotSteerIsAnError) {
  EXPECT_THAT(error_of([] { AdaptiveKl(0.0, 6, 1000); }),
              HasSubstr("initial coefficient of AdaptiveKl: expected > 0"));
  EXPECT_THAT(error_of([] { AdaptiveKl(0.1, -1, 1000); }),
              HasSubstr("target of AdaptiveKl: expected > 0"));
  EXPECT_THAT(error_of([] { AdaptiveKl(0.1, 6, 0); }),
              HasSubstr("horizon of AdaptiveKl: expected > 0"));
  AdaptiveKl controller(0.1, 6.0, 100.0);
  EXPECT_THAT(error_of([&] { controller.update(std::nan(""), 10); }),
              HasSubstr("KL of a sequence: expected a finite number, got nan"));
  EXPECT_THAT(error_of([&] { controller.update(0.0, 500); }),
              HasSubstr("expected fewer than 5 horizons, got 500"));
  EXPECT_DOUBLE_EQ(controller.coefficient(), 0.1);
}

}  // namespace
}  // namespace rlhf::objective
