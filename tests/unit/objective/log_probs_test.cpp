#include "rlhf/objective/log_probs.hpp"

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

TEST(TokenLogProbs, TemperatureDividesTheLogits) {
  const Tensor logits = doubles({0.0, std::log(16.0)}).view({1, 2});
  const Tensor second = int64_tensor({1});
  EXPECT_THAT(token_log_probs(logits, second), TensorNear(doubles({std::log(16.0 / 17)}), 1e-15));
  EXPECT_THAT(token_log_probs(logits, second, 2.0),
              TensorNear(doubles({std::log(4.0 / 5)}), 1e-15));
}

TEST(TokenLogProbs, StaysExactForLogitsOfAnySize) {
  const Tensor logits = torch::tensor({1e4f, 0.0f, -1e4f, 1e4f}).view({2, 2});
  EXPECT_THAT(token_log_probs(logits, int64_tensor({1, 0})),
              TensorEquals(torch::tensor({-1e4f, -2e4f})));
}

TEST(TokenLogProbs, AForbiddenTokenGetsNoProbabilityAndNoGradient) {
  const Tensor logits = doubles({0.0, 0.0, -infinity}).requires_grad_(true);
  const Tensor result = token_log_probs(logits, torch::tensor(int64_t{0}));
  EXPECT_THAT(result, TensorNear(torch::tensor(-std::log(2.0), torch::kDouble), 1e-15));
  result.backward();
  EXPECT_THAT(logits.grad(), TensorNear(doubles({0.5, -0.5, 0.0}), 1e-15));
}

TEST(TokenLogProbs, GivesTheShapeAndTypeOfItsArguments) {
  const Tensor result =
      token_log_probs(torch::zeros({2, 0, 5}), torch::zeros({2, 0}, torch::kInt64));
  EXPECT_EQ(result.sizes(), at::IntArrayRef({2, 0}));
  EXPECT_EQ(result.scalar_type(), torch::kFloat);
}

TEST(TokenLogProbs, BadArgumentsAreNamed) {
  const Tensor logits = torch::zeros({2, 3});
  EXPECT_THAT(error_of([&] {
                token_log_probs(logits, int64_tensor({0, 3}));
              }),
              HasSubstr("targets: expected >= 0 and < 3, got 3"));
  EXPECT_THAT(error_of([&] {
                token_log_probs(logits, int64_tensor({-100, 0}));
              }),
              HasSubstr("targets: expected >= 0 and < 3, got -100"));
  EXPECT_THAT(error_of([&] { token_log_probs(logits, int64_tensor({0})); }),
              HasSubstr("targets: expected [2], got [1]"));
  EXPECT_THAT(error_of([&] { token_log_probs(logits, torch::zeros({2})); }),
              HasSubstr("targets: expected Long, got Float"));
  EXPECT_THAT(error_of([&] {
                token_log_probs(logits.to(torch::kHalf), int64_tensor({0, 0}));
              }),
              HasSubstr("logits: expected float32 or float64, got Half"));
  EXPECT_THAT(error_of([&] {
                token_log_probs(torch::zeros({2, 0}), int64_tensor({0, 0}));
              }),
              HasSubstr("logits: expected [..., V] with V >= 1, got [2, 0]"));
  EXPECT_THAT(error_of([&] {
                token_log_probs(logits, int64_tensor({0, 0}), 0.0);
              }),
              HasSubstr("temperature: expected > 0 and finite, got 0"));
  EXPECT_THAT(error_of([&] { token_log_probs(Tensor(), int64_tensor({0})); }),
              HasSubstr("logits: expected a tensor, got no tensor"));
}

TEST(Entropy, OfAUniformDistributionIsTheLogOfItsSize) {
  EXPECT_THAT(entropy(torch::zeros({3, 8}, torch::kDouble)),
              TensorNear(torch::full({3}, std::log(8.0), torch::kDouble), 1e-15));
}

TEST(Entropy, AForbiddenTokenAddsNothing) {
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    const Tensor logits = doubles({0.0, 0.0, -infinity}).to(type).requires_grad_(true);
    const Tensor result = entropy(logits);
    EXPECT_NEAR(result.item<double>(), std::log(2.0), 1e-7);
    result.backward();
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>());
    EXPECT_EQ(logits.grad()[2].item<double>(), 0.0);
  }
}

TEST(Entropy, OfACertainTokenIsZero) {
  const Tensor logits = doubles({1e4, 0.0}).requires_grad_(true);
  const Tensor result = entropy(logits);
  EXPECT_EQ(result.item<double>(), 0.0);
  result.backward();
  EXPECT_THAT(logits.grad(), TensorEquals(doubles({0.0, 0.0})));
}

TEST(Entropy, ANegativeTemperatureIsAnError) {
  EXPECT_THAT(error_of([] { entropy(torch::zeros({2}), -1.0); }),
              HasSubstr("temperature: expected > 0 and finite, got -1"));
}

}  // namespace
}  // namespace rlhf::objective
