#include "rlhf/optimizer/adamw.hpp"

#include <cmath>

#include "support/ragged.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf {
namespace {

using test::random_normal;
using test::TensorEquals;
using test::TensorNear;

const AdamWOptions options{
    .learning_rate = 1e-2, .beta2 = 0.99, .weight_decay = 0.1, .max_gradient_norm = 0.5};

/// Four parameters of different rank and layout; some gradients are missing in some steps.
struct Model {
  std::vector<NamedTensor> parameters;

  Model(uint64_t seed, at::ScalarType type) {
    Generator generator(seed);
    const auto leaf = [&](Tensor x) { return x.to(type).requires_grad_(true); };
    parameters = {{"matrix", leaf(random_normal(generator, {3, 5}))},
                  {"transposed", leaf(random_normal(generator, {4, 2}).t())},
                  {"vector", leaf(random_normal(generator, {7}))},
                  {"scalar", leaf(random_normal(generator, {}))}};
  }
  void draw_gradients(Generator& generator, int step) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      Tensor& x = parameters[i].second;
      const Tensor gradient = random_normal(generator, x.sizes()).to(x.scalar_type());
      if ((step + static_cast<int>(i)) % 3 != 0) x.mutable_grad() = gradient;
    }
  }
  std::vector<Tensor> values() const {
    std::vector<Tensor> values;
    for (const auto& [name, x] : parameters) values.push_back(x.detach().clone());
    return values;
  }
};

TEST(AdamW, MatchesThePlainLoop) {
  Model model(1, torch::kDouble);
  AdamW optimizer(model.parameters, options);
  std::vector<Tensor> expected = model.values();
  std::vector<std::vector<double>> first(4), second(4);
  std::vector<int> steps(4, 0);
  for (size_t i = 0; i < 4; ++i) {
    first[i].resize(static_cast<size_t>(expected[i].numel()), 0.0);
    second[i] = first[i];
  }
  Generator generator(2);
  for (int step = 0; step < 12; ++step) {
    model.draw_gradients(generator, step);
    double squares = 0;
    for (const auto& [name, x] : model.parameters) {
      if (x.grad().defined()) squares += x.grad().square().sum().item<double>();
    }
    const double shrink = std::min(1.0, options.max_gradient_norm / (std::sqrt(squares) + 1e-6));
    for (size_t i = 0; i < 4; ++i) {
      const Tensor& x = model.parameters[i].second;
      if (!x.grad().defined()) continue;
      const Tensor gradient = x.grad().contiguous().view(-1);
      Tensor flat = expected[i].contiguous().view(-1).clone();
      const double decay = x.dim() >= 2 ? options.weight_decay : 0.0;
      ++steps[i];
      for (int64_t k = 0; k < flat.numel(); ++k) {
        const auto at = static_cast<size_t>(k);
        const double g = gradient[k].item<double>() * shrink;
        first[i][at] = options.beta1 * first[i][at] + (1 - options.beta1) * g;
        second[i][at] = options.beta2 * second[i][at] + (1 - options.beta2) * g * g;
        const double m = first[i][at] / (1 - std::pow(options.beta1, steps[i]));
        const double v = second[i][at] / (1 - std::pow(options.beta2, steps[i]));
        flat[k] = flat[k].item<double>() * (1 - options.learning_rate * decay) -
                  options.learning_rate * m / (std::sqrt(v) + options.epsilon);
      }
      expected[i] = flat.view(x.sizes());
    }
    EXPECT_NEAR(optimizer.step(), std::sqrt(squares), 1e-14);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_THAT(model.parameters[i].second, TensorNear(expected[i], 1e-13)) << "step " << step;
    }
  }
}

TEST(AdamW, AfterARoundTripOfItsStateTheNextStepsAreBitIdentical) {
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    Model model(3, type);
    AdamW optimizer(model.parameters, options);
    Generator generator(4);
    for (int step = 0; step < 5; ++step) {
      model.draw_gradients(generator, step);
      optimizer.step();
    }
    Model other(99, type);
    {
      const NoGrad no_grad;
      for (size_t i = 0; i < 4; ++i) other.parameters[i].second.copy_(model.parameters[i].second);
    }
    AdamW resumed(other.parameters, options);
    resumed.load_state(optimizer.state());
    Generator same(generator.state());
    for (int step = 5; step < 10; ++step) {
      model.draw_gradients(generator, step);
      other.draw_gradients(same, step);
      EXPECT_EQ(optimizer.step(), resumed.step());
    }
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_THAT(other.parameters[i].second.detach(), TensorEquals(model.values()[i]));
    }
    const auto expected = optimizer.state(), actual = resumed.state();
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(actual[i].first, expected[i].first);
      EXPECT_THAT(actual[i].second, TensorEquals(expected[i].second));
    }
  }
}

TEST(AdamW, LoadingTheStateOfAnEarlierStepRepeatsIt) {
  Model model(5, torch::kFloat);
  AdamW optimizer(model.parameters, options);
  Generator generator(6);
  model.draw_gradients(generator, 1);
  optimizer.step();
  const auto state = optimizer.state();
  const std::vector<Tensor> weights = model.values();
  const Generator there = generator;
  const auto continue_from = [&] {
    Generator again = there;
    for (int step = 2; step < 5; ++step) {
      model.draw_gradients(again, step);
      optimizer.step();
    }
    return model.values();
  };
  const std::vector<Tensor> first = continue_from();
  {
    const NoGrad no_grad;
    for (size_t i = 0; i < 4; ++i) model.parameters[i].second.copy_(weights[i]);
  }
  optimizer.load_state(state);
  const std::vector<Tensor> second = continue_from();
  for (size_t i = 0; i < 4; ++i) EXPECT_THAT(second[i], TensorEquals(first[i]));
}

}  // namespace
}  // namespace rlhf
