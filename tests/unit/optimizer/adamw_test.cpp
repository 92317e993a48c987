#include "rlhf/optimizer/adamw.hpp"

#include <ATen/Parallel.h>

#include <cmath>
#include <limits>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf {
namespace {

using test::doubles;
using test::error_of;
using test::TensorEquals;
using test::TensorNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Tensor parameter(const Tensor& value) {
  return value.clone().requires_grad_(true);
}

TEST(AdamW, TheFirstStepMovesEachNumberByAboutTheLearningRate) {
  const Tensor x = parameter(doubles({1, 2, 3}));
  AdamW optimizer({{"x", x}}, {.learning_rate = 0.1, .epsilon = 0.5, .max_gradient_norm = 0});
  x.mutable_grad() = doubles({4, -0.5, 0});
  optimizer.step();
  EXPECT_THAT(x, TensorNear(doubles({1 - 0.1 * 4 / 4.5, 2 + 0.1 * 0.5 / 1.0, 3}), 1e-15));
}

TEST(AdamW, TheFactorScalesTheLearningRateOfOneStep) {
  const Tensor x = parameter(doubles({1}));
  AdamW optimizer({{"x", x}}, {.learning_rate = 0.1, .epsilon = 1.0, .max_gradient_norm = 0});
  x.mutable_grad() = doubles({1});
  optimizer.step(0.5);
  EXPECT_THAT(x, TensorNear(doubles({1 - 0.05 / 2}), 1e-15));
}

TEST(AdamW, OnlyMatricesDecay) {
  const Tensor matrix = parameter(doubles({2}).view({1, 1})), vector = parameter(doubles({2}));
  AdamW optimizer({{"matrix", matrix}, {"vector", vector}},
                  {.learning_rate = 0.1, .weight_decay = 0.5});
  matrix.mutable_grad() = torch::zeros_like(matrix);
  vector.mutable_grad() = torch::zeros_like(vector);
  optimizer.step();
  EXPECT_DOUBLE_EQ(matrix.item<double>(), 2 * (1 - 0.1 * 0.5));
  EXPECT_EQ(vector.item<double>(), 2.0);
}

TEST(AdamW, ClipsByTheNormOfAllGradientsTogether) {
  const auto moved_by = [](double scale, double max_norm) {
    const Tensor a = parameter(doubles({0})), b = parameter(doubles({0}));
    AdamW optimizer({{"a", a}, {"b", b}},
                    {.learning_rate = 1.0, .epsilon = 1.0, .max_gradient_norm = max_norm});
    a.mutable_grad() = doubles({3 * scale});
    b.mutable_grad() = doubles({4 * scale});
    EXPECT_DOUBLE_EQ(optimizer.step(), 5 * scale);
    return torch::cat({a, b}).detach();
  };
  // A step of g / (|g| + 1): g is 3 and 4 times 1 / (5 + 1e-6), then as it came.
  const double shrunk = 1 / (5 + 1e-6);
  EXPECT_THAT(
      moved_by(1, 1),
      TensorNear(doubles({-3 * shrunk / (3 * shrunk + 1), -4 * shrunk / (4 * shrunk + 1)}), 1e-15));
  EXPECT_THAT(moved_by(1, 0), TensorNear(doubles({-0.75, -0.8}), 1e-15));
  EXPECT_THAT(moved_by(0.1, 1), TensorNear(doubles({-0.3 / 1.3, -0.4 / 1.4}), 1e-15));
}

TEST(AdamW, ClearsTheGradients) {
  const Tensor x = parameter(doubles({1}));
  AdamW optimizer({{"x", x}}, {});
  x.mutable_grad() = doubles({1});
  optimizer.step();
  EXPECT_FALSE(x.grad().defined());
  x.mutable_grad() = doubles({1});
  optimizer.zero_grad();
  EXPECT_FALSE(x.grad().defined());
}

TEST(AdamW, EveryStepCountsAsAChangeOfWhatItMoves) {
  const Tensor weight = torch::ones({2, 2}).requires_grad_();
  AdamW optimizer({{"weight", weight}}, {});
  weight.mutable_grad() = torch::ones({2, 2});
  const auto before = weight._version();
  optimizer.step();
  EXPECT_GT(weight._version(), before);
}

TEST(AdamW, AParameterWithoutAGradientIsSkipped) {
  const Tensor used = parameter(torch::ones({2, 2})), unused = parameter(torch::ones({2, 2}));
  const Tensor frozen = parameter(torch::ones({2, 2}));
  frozen.mutable_grad() = torch::ones({2, 2});
  frozen.requires_grad_(false);  // a gradient from before
  AdamW optimizer({{"used", used}, {"unused", unused}, {"frozen", frozen}}, {.weight_decay = 0.5});
  used.mutable_grad() = torch::ones({2, 2});
  optimizer.step();
  EXPECT_FALSE(used.equal(torch::ones({2, 2})));
  EXPECT_THAT(unused, TensorEquals(torch::ones({2, 2})));
  EXPECT_THAT(frozen, TensorEquals(torch::ones({2, 2})));
  EXPECT_EQ(optimizer.state().size(), 3u);  // of `used` alone
}

TEST(AdamW, ATensorUnderTwoNamesIsOptimisedOnce) {
  const Tensor x = parameter(doubles({1}));
  AdamW optimizer({{"embedding", x}, {"output", x}},
                  {.learning_rate = 0.1, .epsilon = 1.0, .max_gradient_norm = 0});
  x.mutable_grad() = doubles({1});
  EXPECT_EQ(optimizer.step(), 1.0);
  EXPECT_THAT(x, TensorNear(doubles({0.95}), 1e-15));
  ASSERT_EQ(optimizer.parameters().size(), 1u);
  EXPECT_EQ(optimizer.parameters()[0].first, "embedding");
}

TEST(AdamW, ANonFiniteGradientIsNamedAndNothingMoves) {
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const Tensor a = parameter(doubles({1})), b = parameter(doubles({2, 3}));
    AdamW optimizer({{"layers.0.a", a}, {"layers.1.b", b}}, {});
    a.mutable_grad() = doubles({1});
    b.mutable_grad() = doubles({1, bad});
    EXPECT_THAT(
        error_of([&] { optimizer.step(); }),
        HasSubstr(
            "gradient of parameter 'layers.1.b': expected a finite number, got NaN or infinity"));
    EXPECT_THAT(a, TensorEquals(doubles({1})));
    EXPECT_THAT(b, TensorEquals(doubles({2, 3})));
    EXPECT_THAT(a.grad(), TensorEquals(doubles({1})));
    EXPECT_TRUE(optimizer.state().empty());
  }
}

TEST(AdamW, AFiniteGradientWhoseSquareOverflowsIsClipped) {
  const Tensor x = parameter(torch::zeros({4}));
  AdamW optimizer({{"x", x}}, {.learning_rate = 0.1});
  x.mutable_grad() = torch::full({4}, 1e25);
  EXPECT_NEAR(optimizer.step() / 2e25, 1.0, 1e-7);
  EXPECT_THAT(x, TensorNear(torch::full({4}, -0.1f), 1e-5));
}

TEST(AdamW, TheMemoryLayoutOfAGradientDoesNotMatter) {
  const Tensor value = torch::arange(6, torch::kDouble).view({2, 3});
  const Tensor gradient = (value - 2).sin();
  const auto moved = [&](const Tensor& given) {
    const Tensor x = parameter(value);
    AdamW optimizer({{"x", x}}, {.learning_rate = 0.1});
    x.mutable_grad() = given;
    optimizer.step();
    return x.detach();
  };
  EXPECT_THAT(moved(gradient.t().contiguous().t()), TensorEquals(moved(gradient.clone())));
}

TEST(AdamW, IsTheSameOnMoreThreads) {
  // Larger and smaller ones than a team divides, one that is not contiguous, one of wider numbers.
  const auto moved = [](int threads) {
    at::set_num_threads(threads);
    torch::manual_seed(1);
    std::vector<NamedTensor> parameters{{"large", parameter(torch::randn({300, 517}))},
                                        {"across", parameter(torch::randn({400, 300}).t())},
                                        {"small", parameter(torch::randn({7, 5}))},
                                        {"vector", parameter(torch::randn({40000}))},
                                        {"one", parameter(torch::randn({1}))}};
    AdamW optimizer(parameters, {.learning_rate = 0.1, .weight_decay = 0.1});
    std::vector<Tensor> result;
    for (int step = 0; step < 3; ++step) {
      for (auto& [name, tensor] : parameters) {
        if (step != 1 || name != "small") tensor.mutable_grad() = torch::randn_like(tensor);
      }
      result.push_back(torch::tensor(optimizer.step()));
    }
    for (auto& [name, tensor] : parameters) result.push_back(tensor.detach().clone());
    for (auto& [name, tensor] : optimizer.state()) result.push_back(tensor);
    at::set_num_threads(1);
    return result;
  };
  const std::vector<Tensor> alone = moved(1);
  for (const int threads : {2, 3}) {
    const std::vector<Tensor> together = moved(threads);
    ASSERT_EQ(together.size(), alone.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_THAT(together[i], TensorNear(alone[i], 2e-6)) << i << " on " << threads;
    }
  }
}

TEST(AdamW, StateIsNamedAfterTheParameter) {
  const Tensor x = parameter(torch::ones({2}));
  AdamW optimizer({{"x", x}}, {});
  x.mutable_grad() = torch::ones({2});
  optimizer.step();
  EXPECT_THAT(optimizer.state(),
              ElementsAre(Pair("x.first_moment", testing::_), Pair("x.second_moment", testing::_),
                          Pair("x.step", TensorEquals(torch::tensor(1.0f)))));
}

TEST(AdamW, StateIsACopy) {
  const Tensor x = parameter(torch::ones({2}));
  AdamW optimizer({{"x", x}}, {});
  x.mutable_grad() = torch::ones({2});
  optimizer.step();
  const auto before = optimizer.state();
  const Tensor kept = before[0].second.clone();
  x.mutable_grad() = torch::ones({2});
  optimizer.step();
  EXPECT_THAT(before[0].second, TensorEquals(kept));
}

TEST(AdamW, StateThatDoesNotFitIsNamedAndChangesNothing) {
  const Tensor x = parameter(torch::ones({2})), y = parameter(torch::ones({1}));
  AdamW optimizer({{"x", x}, {"y", y}}, {});
  x.mutable_grad() = torch::ones({2});
  y.mutable_grad() = torch::ones({1});
  optimizer.step();
  const auto good = optimizer.state();
  const auto load_with = [&](size_t entry, NamedTensor instead) {
    auto state = good;
    state[entry] = std::move(instead);
    return [&optimizer, state] { optimizer.load_state(state); };
  };
  EXPECT_THAT(error_of(load_with(3, {"z.first_moment", torch::ones({1})})),
              HasSubstr("'y.first_moment', got none"));
  EXPECT_THAT(error_of(load_with(0, {"x.first_moment", torch::ones({3})})),
              HasSubstr("'x.first_moment' of the state of AdamW: expected [2], got [3]"));
  EXPECT_THAT(error_of(load_with(4, {"y.second_moment", torch::ones({1}, torch::kDouble)})),
              HasSubstr("'y.second_moment' of the state of AdamW: expected Float, got Double"));
  for (const float steps : {0.0F, -1.0F, 1.5F, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(error_of(load_with(2, {"x.step", torch::tensor(steps)})),
                HasSubstr("'x.step' of the state of AdamW: expected a whole number >= 1, got"));
  }
  auto more = good;
  more.emplace_back("z.step", torch::ones({}));
  EXPECT_THAT(error_of([&] { optimizer.load_state(more); }),
              HasSubstr("expected entries of its parameters, got 'z.step'"));
  EXPECT_THAT(optimizer.state()[0].second, TensorEquals(good[0].second));
}

TEST(AdamW, BadParametersAreNamed) {
  const Tensor x = parameter(torch::ones({2}));
  EXPECT_THAT(error_of([&] { AdamW({}, {}); }),
              HasSubstr("parameters of AdamW: expected >= 1, got none"));
  EXPECT_THAT(error_of([&] {
                AdamW({{"x", x}, {"x", parameter(x.detach())}}, {});
              }),
              HasSubstr("parameters of AdamW: expected a name for each, got 'x' for two tensors"));
  EXPECT_THAT(error_of([&] {
                AdamW({{"x", Tensor()}}, {});
              }),
              HasSubstr("parameter 'x' of AdamW: expected a tensor"));
  EXPECT_THAT(error_of([&] {
                AdamW({{"n", int64_tensor({1})}}, {});
              }),
              HasSubstr("parameter 'n' of AdamW: expected a floating type, got Long"));
  EXPECT_THAT(error_of([&] {
                AdamW({{"x2", x * 2}}, {});
              }),
              HasSubstr("parameter 'x2' of AdamW: expected a leaf of the graph"));
  AdamW optimizer({{"x", x}}, {});
  EXPECT_THAT(error_of([&] { optimizer.step(); }),
              HasSubstr("expected at least one: run backward first, got none"));
  EXPECT_THAT(error_of([&] { optimizer.step(-1); }),
              HasSubstr("learning_rate_factor: expected >= 0, got -1"));
}

TEST(AdamW, OptionsThatCannotWorkAreNamed) {
  const auto validate = [](AdamWOptions options) { return [options] { options.validate(); }; };
  EXPECT_THAT(error_of(validate({.learning_rate = 0})),
              HasSubstr("AdamWOptions::learning_rate: expected > 0, got 0"));
  EXPECT_THAT(error_of(validate({.beta1 = 1})),
              HasSubstr("AdamWOptions::beta1: expected in [0, 1), got 1"));
  EXPECT_THAT(error_of(validate({.beta2 = -0.1})),
              HasSubstr("AdamWOptions::beta2: expected in [0, 1), got -0.1"));
  EXPECT_THAT(error_of(validate({.epsilon = 0})),
              HasSubstr("AdamWOptions::epsilon: expected > 0, got 0"));
  EXPECT_THAT(error_of(validate({.weight_decay = -1})),
              HasSubstr("AdamWOptions::weight_decay: expected >= 0, got -1"));
  EXPECT_THAT(error_of(validate({.max_gradient_norm = std::nan("")})),
              HasSubstr("AdamWOptions::max_gradient_norm"));
}

}  // namespace
}  // namespace rlhf
