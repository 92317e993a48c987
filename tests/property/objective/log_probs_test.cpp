#include "rlhf/objective/log_probs.hpp"

#include <cmath>

#include "rlhf/objective/kl.hpp"
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

struct Shape {
  std::vector<int64_t> leading;
  int64_t vocabulary;
  double temperature;

  std::vector<int64_t> logits() const {
    std::vector<int64_t> sizes = leading;
    sizes.push_back(vocabulary);
    return sizes;
  }
};
const std::vector<Shape> shapes{{{}, 5, 1.0}, {{4}, 3, 0.7}, {{2, 3}, 7, 2.5}, {{1, 2, 2}, 1, 0.5}};

/// p_j of every row, by the definition in double.
std::vector<std::vector<double>> softmax_rows(const Tensor& logits, double temperature) {
  const Tensor rows = logits.reshape({-1, logits.size(-1)});
  std::vector<std::vector<double>> result;
  for (int64_t row = 0; row < rows.size(0); ++row) {
    std::vector<double> p;
    double total = 0;
    for (int64_t j = 0; j < rows.size(1); ++j) {
      p.push_back(std::exp(rows[row][j].item<double>() / temperature));
      total += p.back();
    }
    for (double& value : p) value /= total;
    result.push_back(p);
  }
  return result;
}

Tensor shaped(const std::vector<double>& values, at::IntArrayRef sizes) {
  return torch::tensor(values, torch::kDouble).view(sizes);
}

TEST(TokenLogProbs, MatchesTheDefinition) {
  Generator generator(1);
  for (const Shape& shape : shapes) {
    const Tensor logits = 3 * random_normal(generator, shape.logits());
    const Tensor targets = random_integers(generator, shape.vocabulary, shape.leading);
    const auto p = softmax_rows(logits, shape.temperature);
    const std::vector<int64_t> target = int64_vector(targets.reshape(-1));
    std::vector<double> expected;
    for (size_t i = 0; i < p.size(); ++i)
      expected.push_back(std::log(p[i][static_cast<size_t>(target[i])]));
    EXPECT_THAT(token_log_probs(logits, targets, shape.temperature),
                TensorNear(shaped(expected, shape.leading), 1e-13));
  }
}

TEST(TokenLogProbs, GradientsMatchCentralDifferences) {
  Generator generator(2);
  for (const Shape& shape : shapes) {
    const Tensor targets = random_integers(generator, shape.vocabulary, shape.leading);
    EXPECT_TRUE(gradients_match(
        [&](const Tensors& x) { return token_log_probs(x[0], targets, shape.temperature); },
        {random_normal(generator, shape.logits())}));
  }
}

TEST(TokenLogProbs, Float32AgreesWithFloat64) {
  Generator generator(3);
  const Tensor logits = 5 * random_normal(generator, {6, 50});
  const Tensor targets = random_integers(generator, 50, {6});
  EXPECT_THAT(token_log_probs(logits.to(torch::kFloat), targets, 0.7).to(torch::kDouble),
              TensorNear(token_log_probs(logits, targets, 0.7), 1e-6));
}

TEST(Entropy, MatchesTheDefinition) {
  Generator generator(4);
  for (const Shape& shape : shapes) {
    const Tensor logits = random_normal(generator, shape.logits());
    std::vector<double> expected;
    for (const auto& p : softmax_rows(logits, shape.temperature)) {
      expected.push_back(0);
      for (double value : p) expected.back() -= value * std::log(value);
    }
    EXPECT_THAT(entropy(logits, shape.temperature),
                TensorNear(shaped(expected, shape.leading), 1e-13));
  }
}

TEST(Entropy, GradientsMatchCentralDifferences) {
  Generator generator(5);
  for (const Shape& shape : shapes) {
    EXPECT_TRUE(gradients_match([&](const Tensors& x) { return entropy(x[0], shape.temperature); },
                                {random_normal(generator, shape.logits())}));
  }
}

TEST(FullKl, MatchesTheDefinition) {
  Generator generator(6);
  for (const Shape& shape : shapes) {
    const Tensor logits = random_normal(generator, shape.logits());
    const Tensor ref_logits = random_normal(generator, shape.logits());
    const auto p = softmax_rows(logits, shape.temperature);
    const auto q = softmax_rows(ref_logits, shape.temperature);
    std::vector<double> expected;
    for (size_t i = 0; i < p.size(); ++i) {
      expected.push_back(0);
      for (size_t j = 0; j < p[i].size(); ++j)
        expected.back() += p[i][j] * std::log(p[i][j] / q[i][j]);
    }
    EXPECT_THAT(full_kl(logits, ref_logits, shape.temperature),
                TensorNear(shaped(expected, shape.leading), 1e-13));
  }
}

TEST(FullKl, GradientsMatchCentralDifferences) {
  Generator generator(7);
  for (const Shape& shape : shapes) {
    EXPECT_TRUE(gradients_match(
        [&](const Tensors& x) { return full_kl(x[0], x[1], shape.temperature); },
        {random_normal(generator, shape.logits()), random_normal(generator, shape.logits())}));
  }
}

TEST(FullKl, AnswersWhenOneSideAloneIsTrained) {
  Generator generator(8);
  const Tensor other = random_normal(generator, {3, 4});
  const Tensor x = random_normal(generator, {3, 4});
  EXPECT_TRUE(gradients_match([&](const Tensors& in) { return full_kl(in[0], other); }, {x}));
  EXPECT_TRUE(gradients_match([&](const Tensors& in) { return full_kl(other, in[0]); }, {x}));
}

TEST(Kl, GradientsMatchCentralDifferences) {
  Generator generator(9);
  for (const auto estimator :
       {KlEstimator::k1, KlEstimator::abs, KlEstimator::k2, KlEstimator::k3}) {
    EXPECT_TRUE(
        gradients_match([&](const Tensors& x) { return kl(x[0], x[1], estimator); },
                        {random_normal(generator, {3, 4}), random_normal(generator, {3, 4})}));
  }
}

/// E_p[k1] = E_p[k3] = KL(p || q), summed over the whole vocabulary instead of sampled.
TEST(Kl, K1AndK3AreUnbiasedAndK3IsNeverNegative) {
  Generator generator(10);
  const Tensor logits = random_normal(generator, {5, 6}),
               ref_logits = random_normal(generator, {5, 6});
  const Tensor p = logits.log_softmax(-1), q = ref_logits.log_softmax(-1);
  for (const auto estimator : {KlEstimator::k1, KlEstimator::k3}) {
    EXPECT_THAT((p.exp() * kl(p, q, estimator)).sum(-1),
                TensorNear(full_kl(logits, ref_logits), 1e-14));
  }
  EXPECT_GE(kl(p, q, KlEstimator::k3).min().item<double>(), 0.0);
}

}  // namespace
}  // namespace rlhf::objective
