// Norms and activations against formulas in float64, their gradients against central differences of
// those, for every instruction set that this processor has.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "../../../src/kernels/kernels.hpp"

namespace rlhf::kernels {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

constexpr float epsilon = 1e-3F;

Floats draw(std::mt19937& engine, int64_t count, float mean = 0) {
  std::normal_distribution<float> normal(mean);
  Floats drawn(static_cast<size_t>(count));
  for (float& x : drawn) x = normal(engine);
  return drawn;
}

Doubles doubles(const Floats& floats) {
  return {floats.begin(), floats.end()};
}

using RowFunction =
    std::function<Doubles(const Doubles& x, const Doubles& weight, const Doubles& bias)>;

/// One row, by the definition.
Doubles rms_row(const Doubles& x, const Doubles& weight, const Doubles& /*bias*/) {
  double squares = 0;
  for (const double v : x) squares += v * v;
  const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + double{epsilon});
  Doubles y;
  for (size_t i = 0; i < x.size(); ++i) y.push_back(x[i] * scale * weight[i]);
  return y;
}

Doubles layer_row(const Doubles& x, const Doubles& weight, const Doubles& bias) {
  const auto count = static_cast<double>(x.size());
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / count;
  for (const double v : x) variance += (v - mean) * (v - mean) / count;
  Doubles y;
  for (size_t i = 0; i < x.size(); ++i) {
    y.push_back((x[i] - mean) / std::sqrt(variance + double{epsilon}) * weight[i] + bias[i]);
  }
  return y;
}

Doubles swiglu_row(const Doubles& x, const Doubles& /*weight*/, const Doubles& /*bias*/) {
  Doubles y;
  for (size_t i = 0; i < x.size() / 2; ++i)
    y.push_back(x[i] / (1 + std::exp(-x[i])) * x[i + x.size() / 2]);
  return y;
}

Doubles gelu_row(const Doubles& x, const Doubles& /*weight*/, const Doubles& /*bias*/) {
  Doubles y;
  for (const double v : x) {
    y.push_back(v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))));
  }
  return y;
}

/// Gradient of sum(gradient * function) in `which` of the three.
Doubles differences(const RowFunction& function, std::vector<Doubles> arguments, size_t which,
                    const Doubles& gradient) {
  const auto loss = [&] {
    const Doubles y = function(arguments[0], arguments[1], arguments[2]);
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * gradient[i];
    return sum;
  };
  Doubles result;
  for (double& place : arguments[which]) {
    const double was = place, step = 1e-5;
    place = was + step;
    const double above = loss();
    place = was - step;
    result.push_back((above - loss()) / (2 * step));
    place = was;
  }
  return result;
}

void expect_near(const float* ours, const Doubles& expected, double tolerance, const char* what) {
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(double{ours[i]}, expected[i], tolerance) << what << " " << i;
  }
}

Doubles row_of(const Doubles& all, size_t row, size_t width) {
  const auto begin = all.begin() + static_cast<int64_t>(row * width);
  return {begin, begin + static_cast<int64_t>(width)};
}

class RowLoops : public testing::TestWithParam<int64_t> {
 protected:
  static constexpr size_t rows = 3;
  const int64_t width_ = GetParam();
  const size_t size_ = static_cast<size_t>(width_);
  std::mt19937 engine_{static_cast<uint32_t>(width_)};

  void check_norm(const NormKernels& norm, const RowFunction& function) {
    const int64_t count = static_cast<int64_t>(rows) * width_;
    const Floats x = draw(engine_, count, 0.5F), weight = draw(engine_, width_, 1);
    const Floats bias = draw(engine_, width_), gradient = draw(engine_, count);
    Floats y(x.size()), again(x.size()), scale(rows);
    norm.forward(x.data(), weight.data(), bias.data(), epsilon, rows, width_, y.data(),
                 scale.data());
    norm.again(x.data(), weight.data(), bias.data(), scale.data(), rows, width_, again.data());
    // What was there stays: sums of weights, and the gradient that the residual carries.
    const Floats added = draw(engine_, count), weight_before = draw(engine_, width_);
    Floats x_gradient(x.size()), weight_gradient = weight_before, bias_gradient = weight_before;
    norm.backward(x.data(), weight.data(), scale.data(), gradient.data(), rows, width_,
                  added.data(), x_gradient.data(), weight_gradient.data(), bias_gradient.data());
    Floats in_place = gradient;
    norm.backward(x.data(), weight.data(), scale.data(), in_place.data(), rows, width_, nullptr,
                  in_place.data(), nullptr, nullptr);
    Doubles weight_sum = doubles(weight_before), bias_sum = weight_sum;
    for (size_t row = 0; row < rows; ++row) {
      const size_t begin = row * size_;
      const std::vector<Doubles> arguments{row_of(doubles(x), row, size_), doubles(weight),
                                           doubles(bias)};
      const Doubles g = row_of(doubles(gradient), row, size_);
      const Doubles expected = function(arguments[0], arguments[1], arguments[2]);
      expect_near(y.data() + begin, expected, 1e-5, "y");
      expect_near(again.data() + begin, expected, 1e-5, "y once more");
      Doubles through = differences(function, arguments, 0, g);
      expect_near(in_place.data() + begin, through, 2e-4, "gradient of x in place");
      for (size_t i = 0; i < size_; ++i) through[i] += double{added[begin + i]};
      expect_near(x_gradient.data() + begin, through, 2e-4, "gradient of x");
      const Doubles of_weight = differences(function, arguments, 1, g);
      const Doubles of_bias = differences(function, arguments, 2, g);
      for (size_t i = 0; i < size_; ++i) {
        weight_sum[i] += of_weight[i];
        bias_sum[i] += of_bias[i];
      }
    }
    expect_near(weight_gradient.data(), weight_sum, 5e-5, "gradient of weight");
    expect_near(bias_gradient.data(), bias_sum, 5e-5, "gradient of bias");
  }

  void check_activation(const ActivationKernels& activation, const RowFunction& function,
                        int64_t in_width) {
    const auto in_size = static_cast<size_t>(in_width);
    const Floats x = draw(engine_, static_cast<int64_t>(rows) * in_width);
    const Floats gradient = draw(engine_, static_cast<int64_t>(rows) * width_);
    Floats y(gradient.size()), again = gradient, x_gradient(x.size());
    activation.forward(x.data(), rows, width_, y.data());
    activation.backward(x.data(), rows, width_, again.data(), x_gradient.data());
    for (size_t row = 0; row < rows; ++row) {
      const std::vector<Doubles> arguments{row_of(doubles(x), row, in_size), {}, {}};
      const Doubles expected = function(arguments[0], {}, {});
      expect_near(y.data() + row * size_, expected, 2e-6, "y");
      expect_near(again.data() + row * size_, expected, 2e-6, "y once more");
      expect_near(x_gradient.data() + row * in_size,
                  differences(function, arguments, 0, row_of(doubles(gradient), row, size_)), 1e-5,
                  "gradient of x");
    }
  }
};

TEST_P(RowLoops, AreWhatTheFormulasSay) {
  for (const Kernels* k : all_kernels()) {
    SCOPED_TRACE(k->name);
    check_norm(k->rms_norm, rms_row);
    check_norm(k->layer_norm, layer_row);
    check_activation(k->swiglu, swiglu_row, 2 * width_);
    check_activation(k->gelu, gelu_row, width_);
  }
}

TEST_P(RowLoops, AddUp) {
  for (const Kernels* k : all_kernels()) {
    const Floats from = draw(engine_, static_cast<int64_t>(rows) * width_);
    const Floats before = draw(engine_, width_);
    Floats sum = before, spread = from;
    k->add_rows(from.data(), rows, width_, sum.data());
    k->add_to_rows(before.data(), rows, width_, spread.data());
    for (size_t i = 0; i < size_; ++i) {
      EXPECT_EQ(sum[i], before[i] + from[i] + from[size_ + i] + from[2 * size_ + i]);
      for (size_t row = 0; row < rows; ++row) {
        EXPECT_EQ(spread[row * size_ + i], from[row * size_ + i] + before[i]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, RowLoops, testing::Values(2, 3, 8, 13, 16, 31, 64, 100));

}  // namespace
}  // namespace rlhf::kernels
