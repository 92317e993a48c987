/// Products of rows in memory with weights, by the kernels: the three that a linear layer needs.
#pragma once

#include <algorithm>

#include "../kernels/kernels.hpp"
#include "packed_weights.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// Whether the kernels take tensors like this one: float32, on the CPU, row after row.
inline bool can_fuse(const Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.scalar_type() == torch::kFloat32 &&
         tensor.is_contiguous();
}

/// y [rows, outputs] = x [rows, inputs] weight^T, plus `bias` [outputs] unless undefined, plus
/// `added` (rows like y, may be y) unless null.
inline void linear(const PackedMatrix& weight, const float* x, int64_t rows, const Tensor& bias,
                   float* y, const float* added = nullptr) {
  const float* every_row = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  if (added == nullptr) return weight.product(x, rows, y, every_row);
  weight.product(x, rows, y, added, weight.outputs);
  if (every_row != nullptr) {
    kernels::kernels().add_to_rows(every_row, rows, weight.outputs, y);
  }
}

/// The same; `packed` is the weight, or null.
inline void linear(kernels::Number number, const float* x, int64_t rows, const Tensor& weight,
                   const PackedMatrix* packed, const Tensor& bias, float* y,
                   const float* added = nullptr) {
  if (packed != nullptr) return linear(*packed, x, rows, bias, y, added);
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  const float* every_row = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  kernels::kernels().product(number, {.rows = rows,
                                      .columns = outputs,
                                      .inner = inputs,
                                      .a = {x, inputs, 1},
                                      .b = rows_of(weight),
                                      .from = added != nullptr ? added : every_row,
                                      .from_row = added != nullptr ? outputs : 0,
                                      .c = y,
                                      .c_row = outputs});
  if (added != nullptr && every_row != nullptr) {
    kernels::kernels().add_to_rows(every_row, rows, outputs, y);
  }
}

/// y [rows, inputs] = gradient [rows, outputs] weight. `packed` is the weight's transpose, or null.
inline void linear_backward(kernels::Number number, const float* gradient, int64_t rows,
                            const Tensor& weight, const PackedMatrix* packed, float* y) {
  if (packed != nullptr) return packed->product(gradient, rows, y);
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  kernels::kernels().product(number, {.rows = rows,
                                      .columns = inputs,
                                      .inner = outputs,
                                      .a = {gradient, outputs, 1},
                                      .b = columns_of(weight),
                                      .from = nullptr,
                                      .from_row = 0,
                                      .c = y,
                                      .c_row = inputs});
}

/// Rows [begin, end) of a weight's gradient: gradient^T [outputs, rows] x [rows, inputs].
inline void weight_gradient(kernels::Number number, const float* gradient, const float* x,
                            int64_t rows, int64_t begin, int64_t end, Tensor& result) {
  const int64_t outputs = result.size(0), inputs = result.size(1);
  float* c = result.data_ptr<float>() + begin * inputs;
  kernels::kernels().product(number, {.rows = end - begin,
                                      .columns = inputs,
                                      .inner = rows,
                                      .a = {gradient + begin, 1, outputs},
                                      .b = {x, inputs, 1},
                                      .from = nullptr,
                                      .from_row = 0,
                                      .c = c,
                                      .c_row = inputs});
}

}  // namespace rlhf::model
