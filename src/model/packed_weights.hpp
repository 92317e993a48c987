/// Matrices in the order in which the kernels' products read them: packed once, multiplied often.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "../kernels/kernels.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// A weight as the operand whose columns are its rows, the outputs; and as that of its transpose,
/// which passes gradients back.
inline kernels::Matrix rows_of(const Tensor& weight) {
  return {weight.const_data_ptr<float>(), 1, weight.size(1)};
}
inline kernels::Matrix columns_of(const Tensor& weight) {
  return {weight.const_data_ptr<float>(), weight.size(1), 1};
}

/// A matrix [outputs, inputs], packed.
struct PackedMatrix {
  kernels::Number number;
  Tensor packed;
  int64_t outputs = 0, inputs = 0;

  PackedMatrix(kernels::Number number, const Tensor& weight);
  /// The matrix that passes gradients back: that of weight^T, [inputs, outputs]; no int8.
  static PackedMatrix transposed(kernels::Number number, const Tensor& weight);
  /// Room for one.
  PackedMatrix(kernels::Number number, int64_t outputs, int64_t inputs);

  static constexpr int64_t whole_outputs = 32;
  /// Packs outputs [begin, end) of the operand [inputs, outputs]; begin a multiple of
  /// whole_outputs, of int8 zero.
  void fill(const kernels::Matrix& matrix, int64_t begin, int64_t end);
  /// y [rows, outputs] = from + x [rows, inputs] matrix^T; `from` null or rows from_row apart, may
  /// be y.
  void product(const float* x, int64_t rows, float* y, const float* from = nullptr,
               int64_t from_row = 0) const {
    kernels::kernels().packed_product(number, x, rows, packed.const_data_ptr(), outputs, inputs,
                                      from, from_row, y);
  }
};

/// A weight both ways; null where it is not packed.
struct PackedPair {
  std::shared_ptr<const PackedMatrix> forward, backward;
};

/// Packed copies of weights that do not learn, for all the models that share them. Where products
/// are fast, most of the time would go into packing the same matrices for every few rows.
class PackedWeights {
 public:
  /// Makes what is not there yet, or was made of other numbers.
  std::shared_ptr<const PackedMatrix> forward(kernels::Number number, const Tensor& weight);
  std::shared_ptr<const PackedMatrix> backward(kernels::Number number, const Tensor& weight);

 private:
  enum class Way : uint8_t { forward, backward };
  struct Entry {
    c10::weak_intrusive_ptr<c10::StorageImpl> storage;  // so that no other weight is taken for it
    int64_t version;
    std::shared_ptr<const PackedMatrix> packed;
  };
  std::shared_ptr<const PackedMatrix> of(Way way, kernels::Number number, const Tensor& weight);

  std::mutex mutex_;
  std::map<std::tuple<const void*, Way, kernels::Number>, Entry> entries_;
};

}  // namespace rlhf::model
