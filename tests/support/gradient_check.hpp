/// Autograd against central differences in float64, and the promise that masked slots never matter.
#pragma once

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::test {

using Tensors = std::vector<Tensor>;
using Function = std::function<Tensor(const Tensors&)>;

struct GradientCheck {
  /// Truncation is about step^2, rounding about 1e-16 / step: 1e-5 leaves some 1e-10 of each.
  double step = 1e-5;
  double tolerance = 1e-8;
};

/// A fixed random-looking direction: turns an output of any shape into a scalar that misses no
/// element.
inline Tensor direction_like(const Tensor& output) {
  return (torch::arange(output.numel(), torch::kDouble) * 1.7 + 0.3).cos().view(output.sizes());
}

inline Tensors leaves_of(const Tensors& inputs) {
  Tensors leaves;
  for (const Tensor& input : inputs) {
    leaves.push_back(input.detach().clone(at::MemoryFormat::Contiguous).requires_grad_(true));
  }
  return leaves;
}

/// d (output . direction) / d input for each input; zeros where the output does not depend on it.
inline Tensors gradients_of(const Function& function, const Tensors& inputs) {
  const Tensors leaves = leaves_of(inputs);
  const Tensor output = function(leaves);
  Tensors gradients =
      torch::autograd::grad({output}, leaves, {direction_like(output).to(output.scalar_type())},
                            std::nullopt, /*create_graph=*/false, /*allow_unused=*/true);
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (!gradients[i].defined()) gradients[i] = torch::zeros_like(inputs[i]);
  }
  return gradients;
}

/// The function's derivative in every element of every input, all float64.
inline testing::AssertionResult gradients_match(const Function& function, const Tensors& inputs,
                                                const GradientCheck& check = {}) {
  const Tensors gradients = gradients_of(function, inputs);
  const NoGrad no_grad;
  Tensors at;
  for (const Tensor& input : inputs) at.push_back(input.clone(at::MemoryFormat::Contiguous));
  const auto projected = [&] {
    const Tensor output = function(at);
    return (output * direction_like(output)).sum().item<double>();
  };
  for (size_t i = 0; i < at.size(); ++i) {
    double* element = at[i].mutable_data_ptr<double>();
    const Tensor flat = gradients[i].contiguous().view(-1);
    for (int64_t k = 0; k < at[i].numel(); ++k) {
      const double middle = element[k];
      element[k] = middle + check.step;
      const double above = projected();
      element[k] = middle - check.step;
      const double below = projected();
      element[k] = middle;
      const double expected = (above - below) / (2 * check.step);
      const double actual = flat[k].item<double>();
      if (!(std::abs(actual - expected) <= check.tolerance * std::max(1.0, std::abs(expected)))) {
        return testing::AssertionFailure() << "input " << i << ", element " << k << ": autograd "
                                           << actual << ", central difference " << expected;
      }
    }
  }
  return testing::AssertionSuccess();
}

/// Value and gradients keep every bit when the masked slots of all inputs [B, T] turn into NaN, or
/// into infinity; the gradients there are exactly 0.
inline testing::AssertionResult ignores_masked(const Function& function, const Tensors& inputs,
                                               const Tensor& mask) {
  const Tensor clean = function(inputs);
  const Tensors clean_gradients = gradients_of(function, inputs);
  for (double poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Tensors poisoned;
    for (const Tensor& input : inputs) {
      poisoned.push_back(input.sizes() == mask.sizes() ? input.masked_fill(~mask, poison) : input);
    }
    if (!function(poisoned).equal(clean)) {
      return testing::AssertionFailure() << "the value changes when masked slots hold " << poison;
    }
    const Tensors gradients = gradients_of(function, poisoned);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!gradients[i].equal(clean_gradients[i])) {
        return testing::AssertionFailure()
               << "the gradient of input " << i << " changes when masked slots hold " << poison;
      }
      if (inputs[i].sizes() == mask.sizes() &&
          gradients[i].masked_select(~mask).any().item<bool>()) {
        return testing::AssertionFailure() << "input " << i << " has a gradient in a masked slot";
      }
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace rlhf::test
