/// exp and log sigmoid of the few numbers that losses have. LibTorch's own go to MKL's vector
/// functions, which from 128 numbers on wake every thread for them: some 50 us instead of 2, and
/// where OpenMP's threads wait busily (its default) they then take the kernels' threads' place.
#pragma once

#include <numbers>

#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

/// To |x| units in the last place.
inline Tensor exp_of(const Tensor& x) {
  return torch::exp2(x * std::numbers::log2e);
}

inline Tensor log_sigmoid_of(const Tensor& x) {
  constexpr double linear_from = 40;  // exp(-40) is lost beside 40, in float64 too
  return -torch::softplus(-x, /*beta=*/1, linear_from);
}

}  // namespace rlhf::objective
