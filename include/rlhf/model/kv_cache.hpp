/// What a decoder remembers of sequences while they grow.
#pragma once

#include <memory>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf {
namespace model {
struct PackedDecoder;
}

struct KvCache {
  /// A layer: [B, kv_heads, capacity, head_size]; for the fused kernels (`packed`) in blocks of 16
  /// positions, [B, kv_heads, capacity / 16, head_size, 16].
  std::vector<Tensor> keys;
  std::vector<Tensor> values;    ///< a layer: [B, kv_heads, capacity, head_size]
  std::vector<int64_t> lengths;  ///< tokens read so far, [B]
  /// The weights as the fused kernels read them: copied when decoding began, but for those that
  /// do not learn, which must stay as they are while the cache is in use; null: others decode.
  std::shared_ptr<const model::PackedDecoder> packed = {};

  int64_t size() const { return static_cast<int64_t>(lengths.size()); }
  int64_t capacity() const { return values.empty() ? 0 : values.front().size(2); }
  /// The rows become these, int64 [k] on the CPU, repeats allowed.
  void keep(const Tensor& rows);
  /// Room for at least this many tokens a row.
  void reserve(int64_t tokens);
};

}  // namespace rlhf
