#include "packed_weights.hpp"

#include <algorithm>
#include <cstddef>

#include "pool.hpp"

namespace rlhf::model {

PackedMatrix::PackedMatrix(kernels::Number kind, int64_t rows, int64_t columns)
    : number(kind),
      packed(pooled({kernels::kernels().packed_size(kind, rows, columns) /
                     static_cast<int64_t>(sizeof(float))})),
      outputs(rows),
      inputs(columns) {}

PackedMatrix::PackedMatrix(kernels::Number kind, const Tensor& weight)
    : PackedMatrix(kind, weight.size(0), weight.size(1)) {
  fill(rows_of(weight), 0, outputs);
}

PackedMatrix PackedMatrix::transposed(kernels::Number kind, const Tensor& weight) {
  PackedMatrix matrix(kind, weight.size(1), weight.size(0));
  matrix.fill(columns_of(weight), 0, matrix.outputs);
  return matrix;
}

void PackedMatrix::fill(const kernels::Matrix& matrix, int64_t begin, int64_t end) {
  const auto& k = kernels::kernels();
  auto* const first = static_cast<std::byte*>(packed.data_ptr());
  k.pack(number, {matrix.at + begin * matrix.column, matrix.row, matrix.column}, end - begin,
         inputs, first + k.packed_size(number, begin, inputs));
}

std::shared_ptr<const PackedMatrix> PackedWeights::forward(kernels::Number number,
                                                           const Tensor& weight) {
  return of(Way::forward, number, weight);
}

std::shared_ptr<const PackedMatrix> PackedWeights::backward(kernels::Number number,
                                                            const Tensor& weight) {
  return of(Way::backward, number, weight);
}

std::shared_ptr<const PackedMatrix> PackedWeights::of(Way way, kernels::Number number,
                                                      const Tensor& weight) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_tuple(weight.const_data_ptr(), way, number);
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.version == weight._version() &&
      !found->second.storage.expired()) {
    return found->second.packed;
  }
  if (found != entries_.end()) entries_.erase(found);
  std::erase_if(entries_, [](const auto& entry) { return entry.second.storage.expired(); });
  auto packed = std::make_shared<const PackedMatrix>(
      way == Way::forward ? PackedMatrix(number, weight)
                          : PackedMatrix::transposed(number, weight));
  entries_.emplace(key, Entry{.storage = c10::weak_intrusive_ptr<c10::StorageImpl>(
                                  weight.storage().getWeakStorageImpl()),
                              .version = weight._version(),
                              .packed = packed});
  return packed;
}

}  // namespace rlhf::model
