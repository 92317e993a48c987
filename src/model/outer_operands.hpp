/// A weight's gradient and what it is made of: the outer products of rows, packed while they are
/// at hand.
#pragma once

#include "../kernels/kernels.hpp"
#include "../kernels/team.hpp"
#include "pool.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// Rows of the gradient of a linear layer's outputs and of its inputs.
class OuterOperands {
 public:
  using Range = kernels::Member::Range;

  /// Room for so many rows.
  OuterOperands(kernels::Number number, int64_t rows, int64_t outputs, int64_t inputs)
      : number_(number),
        capacity_(rows),
        outputs_(outputs),
        inputs_(inputs),
        gradient_(room(kernels::OuterSide::outputs, outputs)),
        x_(room(kernels::OuterSide::inputs, inputs)) {}

  /// Rows [rows.size(), outputs]; they begin and, but for the last of all, end at multiples of
  /// kernels::outer_rows.
  void put_gradient(const float* gradient, Range rows) const {
    put(kernels::OuterSide::outputs, gradient, rows, outputs_, gradient_);
  }
  /// Rows [rows.size(), inputs] alike.
  void put_x(const float* x, Range rows) const {
    put(kernels::OuterSide::inputs, x, rows, inputs_, x_);
  }

  /// This thread's part of weight_gradient [outputs, inputs] = gradient^T x of the first `rows`
  /// rows, added to what is there where `add`.
  void learn(const kernels::Member& member, int64_t rows, const Tensor& weight_gradient,
             bool add = false) const {
    const auto& k = kernels::kernels();
    const kernels::OuterTile tile = k.outer_tile(number_);
    const Range outputs =
        by_outputs(tile, member.size) ? member.part(outputs_, tile.outputs) : Range{0, outputs_};
    const Range inputs =
        by_outputs(tile, member.size) ? Range{0, inputs_} : member.part(inputs_, tile.inputs);
    k.outer_product(number_, {.rows = rows,
                              .outputs = outputs_,
                              .inputs = inputs_,
                              .capacity = capacity_,
                              .output_side = gradient_.const_data_ptr(),
                              .input_side = x_.const_data_ptr(),
                              .first_output = outputs.begin,
                              .last_output = outputs.end,
                              .first_input = inputs.begin,
                              .last_input = inputs.end,
                              .add = add,
                              .c = weight_gradient.data_ptr<float>()});
  }

 private:
  /// Whether the largest part is smaller where threads share the outputs than where the inputs.
  bool by_outputs(const kernels::OuterTile& tile, int64_t threads) const {
    const auto parts = [](int64_t count, int64_t size) { return (count + size - 1) / size; };
    const int64_t down = parts(outputs_, tile.outputs), across = parts(inputs_, tile.inputs);
    return parts(down, threads) * across <= parts(across, threads) * down;
  }
  Tensor room(kernels::OuterSide side, int64_t width) const {
    return pooled({kernels::kernels().outer_size(number_, side, capacity_, width) /
                   static_cast<int64_t>(sizeof(float))});
  }
  void put(kernels::OuterSide side, const float* rows, Range range, int64_t width,
           const Tensor& packed) const {
    kernels::kernels().outer_pack(number_, side, rows, range.begin, range.size(), width, capacity_,
                                  packed.data_ptr());
  }

  kernels::Number number_;
  int64_t capacity_, outputs_, inputs_;
  Tensor gradient_, x_;
};

}  // namespace rlhf::model
