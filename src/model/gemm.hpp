/// Matrix products of rows in memory through LibTorch's kernels, without autograd or dispatch.
#pragma once

#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/mm_cpu_dispatch.h>

#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// Whether the kernels take tensors like this one: float32, on the CPU, row after row.
inline bool can_fuse(const Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.scalar_type() == torch::kFloat32 &&
         tensor.is_contiguous();
}

/// Rows of float32 somewhere in memory, that somebody else owns.
inline Tensor rows_at(const float* data, int64_t rows, int64_t columns, int64_t stride) {
  return at::from_blob(const_cast<float*>(data), {rows, columns}, {stride, 1}, torch::kFloat32);
}
inline Tensor rows_at(const float* data, int64_t rows, int64_t columns) {
  return rows_at(data, rows, columns, columns);
}

/// The transpose of a weight [outputs, inputs], outside of autograd.
inline Tensor transposed(const Tensor& weight) {
  return at::from_blob(weight.data_ptr(), {weight.size(1), weight.size(0)}, {1, weight.size(1)},
                       torch::kFloat32);
}

/// y [rows, outputs] = x [rows, inputs] weight^T, plus `added` (rows like y) unless null.
inline void linear(const float* x, int64_t rows, const Tensor& weight, float* y,
                   const float* added = nullptr) {
  if (rows == 0) return;
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  Tensor out = rows_at(y, rows, outputs);
  const Tensor in = rows_at(x, rows, inputs);
  if (added == nullptr) {
    at::cpu::mm_out(out, in, transposed(weight));
  } else {
    at::cpu::addmm_out(out, rows_at(added, rows, outputs), in, transposed(weight));
  }
}

/// y [rows, inputs] = gradient [rows, outputs] weight.
inline void linear_backward(const float* gradient, int64_t rows, const Tensor& weight, float* y) {
  if (rows == 0) return;
  Tensor out = rows_at(y, rows, weight.size(1));
  at::cpu::mm_out(out, rows_at(gradient, rows, weight.size(0)), weight);
}

/// Rows [begin, end) of a weight's gradient: gradient^T [outputs, rows] x [rows, inputs], added to
/// what is there where `add`.
inline void weight_gradient(const float* gradient, const float* x, int64_t rows, int64_t begin,
                            int64_t end, Tensor& result, bool add = false) {
  if (begin == end) return;
  const int64_t outputs = result.size(0), inputs = result.size(1);
  Tensor out = rows_at(result.data_ptr<float>() + begin * inputs, end - begin, inputs);
  const Tensor across = at::from_blob(const_cast<float*>(gradient + begin), {end - begin, rows},
                                      {1, outputs}, torch::kFloat32);
  at::cpu::addmm_out(out, out, across, rows_at(x, rows, inputs), add ? 1 : 0);
}

}  // namespace rlhf::model
