/// Low-rank adapters in the fused passes: y += s B A x, part by part, and its gradients.
#pragma once

#include "gemm.hpp"
#include "rlhf/model/lora.hpp"

namespace rlhf::model::fused {

/// One product's adapters; nothing is done where there are none.
struct LowRank {
  kernels::Number number;
  const std::vector<AdapterPart>& parts;
  const Tensor& a;  ///< [parts * rank, in]
  const Tensor& b;  ///< [rows of all parts, rank]
  float scale;

  bool there() const { return a.defined(); }
  int64_t rank() const { return b.size(1); }
  int64_t width() const { return a.size(0); }

  /// low [rows, width] = scale * x a^T
  void project(const float* x, int64_t rows, float* low) const {
    if (!there()) return;
    linear(number, x, rows, a, nullptr, {}, low);
    for (int64_t i = 0; i < rows * width(); ++i) low[i] *= scale;
  }

  /// y [rows, y_width] += scale * b a x; `low` is filled as by project().
  void add(const float* x, int64_t rows, float* low, float* y, int64_t y_width) const {
    if (!there()) return;
    project(x, rows, low);
    for (const AdapterPart& part : parts) {
      kernels::kernels().product(number, {.rows = rows,
                                          .columns = part.rows,
                                          .inner = rank(),
                                          .a = {low + part.row_of_a, width(), 1},
                                          .b = {b_of(part), 1, rank()},
                                          .from = y + part.begin,
                                          .from_row = y_width,
                                          .c = y + part.begin,
                                          .c_row = y_width});
    }
  }

  /// low_gradient [rows, width] = scale * gradient b; x_gradient += low_gradient a, unless null.
  void pass_back(const float* gradient, int64_t gradient_width, int64_t rows, float* low_gradient,
                 float* x_gradient) const {
    if (!there()) return;
    for (const AdapterPart& part : parts) {
      kernels::kernels().product(number, {.rows = rows,
                                          .columns = rank(),
                                          .inner = part.rows,
                                          .a = {gradient + part.begin, gradient_width, 1},
                                          .b = {b_of(part), rank(), 1},
                                          .from = nullptr,
                                          .from_row = 0,
                                          .c = low_gradient + part.row_of_a,
                                          .c_row = width()});
    }
    for (int64_t i = 0; i < rows * width(); ++i) low_gradient[i] *= scale;
    if (x_gradient == nullptr) return;
    const int64_t inputs = a.size(1);
    kernels::kernels().product(number, {.rows = rows,
                                        .columns = inputs,
                                        .inner = width(),
                                        .a = {low_gradient, width(), 1},
                                        .b = {a.const_data_ptr<float>(), inputs, 1},
                                        .from = x_gradient,
                                        .from_row = inputs,
                                        .c = x_gradient,
                                        .c_row = inputs});
  }

  /// Gradients of a and b, over all rows: this thread's part of them.
  void learn(const kernels::Member& member, const float* gradient, int64_t gradient_width,
             const float* x, int64_t rows, const Tensor& low, const Tensor& low_gradient,
             Tensor& a_gradient, Tensor& b_gradient) const {
    if (!there()) return;
    if (a_gradient.defined()) {
      const auto [begin, end] = member.part(width());
      weight_gradient(number, low_gradient.const_data_ptr<float>(), x, rows, begin, end,
                      a_gradient);
    }
    if (!b_gradient.defined()) return;
    for (const AdapterPart& part : parts) {
      const auto [begin, end] = member.part(part.rows, kernels::grain);
      kernels::kernels().product(
          number, {.rows = end - begin,
                   .columns = rank(),
                   .inner = rows,
                   .a = {gradient + part.begin + begin, 1, gradient_width},
                   .b = {low.const_data_ptr<float>() + part.row_of_a, width(), 1},
                   .from = nullptr,
                   .from_row = 0,
                   .c = b_gradient.data_ptr<float>() + (part.row_of_b + begin) * rank(),
                   .c_row = rank()});
    }
  }

 private:
  /// Its rows of b.
  const float* b_of(const AdapterPart& part) const {
    return b.const_data_ptr<float>() + part.row_of_b * rank();
  }
};

}  // namespace rlhf::model::fused
