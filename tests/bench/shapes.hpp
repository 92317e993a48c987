/// The model shapes of all speed figures, what a pass over them costs, and the peak they are
/// measured against.
#pragma once

#include <string>
#include <string_view>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/tensor.hpp"
#include "rlhf/model/config.hpp"
#include "rlhf/model/precision.hpp"

namespace bench {

/// Tied output layers, context 1024.
struct Shape {
  std::string name;
  rlhf::TransformerConfig config;

  // Operations in the matrix products that a job makes its model execute, attention's over what a
  // token sees among them; a product with its two gradients takes three times as many.

  /// A forward pass up to the hidden states, the last layer's being wanted at `rows` tokens alone.
  double trunk(const rlhf::Completions& completions, double rows) const;
  /// The same and its gradients.
  double trunk_learning(const rlhf::Completions& completions, double rows) const;
  /// The output layer, and with its gradients.
  double output(double rows) const;
  double output_learning(double rows) const;
  /// All that it takes to sample the responses.
  double sampling(const rlhf::Completions& completions) const;

 private:
  double weights(double tokens, double rows) const;
  /// Queries times keys, shares times values, of so many pairs of a token and one that it sees.
  double attention(double pairs) const;
};

/// tiny, small or medium. @throws Error naming the three
const Shape& shape(std::string_view name);

/// float32, bfloat16 or int8. @throws Error naming the three
rlhf::Precision precision(std::string_view name);

/// Operations a second of the product of two 2048 x 2048 matrices, the best of three, measured now
/// on as many threads as LibTorch is set to.
double peak(at::ScalarType dtype);

}  // namespace bench
