/// The only door to LibTorch: tensors, their gradients, and checks of them. Without torch/torch.h,
/// which costs every file 20 s, and torch/autograd.h, which costs 5 s and serves only who writes a
/// torch::autograd::Function.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf {

using at::Tensor;

/// A parameter and the name it is saved under.
using NamedTensor = std::pair<std::string, Tensor>;

/// int64 tensor on the CPU from a vector.
inline Tensor int64_tensor(const std::vector<int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

/// The values of an integer tensor (any device, any integer type) as a vector.
inline std::vector<int64_t> int64_vector(const Tensor& tensor) {
  const Tensor cpu = tensor.to(torch::kCPU, torch::kInt64).contiguous();
  const int64_t* begin = cpu.const_data_ptr<int64_t>();
  return {begin, begin + cpu.numel()};
}

/// Switches gradients off for a scope.
using NoGrad = at::NoGradGuard;

/// Throws unless `tensor` is defined and has these sizes.
void require_shape(const Tensor& tensor, at::IntArrayRef sizes, std::string_view name,
                   std::source_location where = std::source_location::current());

/// Throws unless `tensor` is defined and of this type.
void require_dtype(const Tensor& tensor, at::ScalarType dtype, std::string_view name,
                   std::source_location where = std::source_location::current());

}  // namespace rlhf
