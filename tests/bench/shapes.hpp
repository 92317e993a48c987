/// The model shapes of all speed figures, what a pass over them costs, and the peak they are
/// measured against.
#pragma once

#include <string>
#include <string_view>

#include "rlhf/core/tensor.hpp"
#include "rlhf/model/config.hpp"
#include "rlhf/model/precision.hpp"

namespace bench {

/// Tied output layers, context 1024.
struct Shape {
  std::string name;
  rlhf::TransformerConfig config;

  /// Operations in products with weights of a forward pass over `tokens`, the last layer's output
  /// being wanted at `rows` of them alone. A pass with its gradients takes three times as many.
  double trunk(double tokens, double rows) const;
  /// The same of the output layer.
  double output(double rows) const;
};

/// tiny, small or medium. @throws Error naming the three
const Shape& shape(std::string_view name);

/// float32, bfloat16 or int8. @throws Error naming the three
rlhf::Precision precision(std::string_view name);

/// Operations a second of the product of two 2048 x 2048 matrices, the best of three, measured now
/// on as many threads as LibTorch is set to.
double peak(at::ScalarType dtype);

}  // namespace bench
