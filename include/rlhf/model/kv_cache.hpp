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
  std::vector<Tensor> keys;      ///< a layer: [B, kv_heads, head_size, capacity]
  std::vector<Tensor> values;    ///< a layer: [B, kv_heads, capacity, head_size]
  std::vector<int64_t> lengths;  ///< tokens read so far, [B]
  /// The weights as the fused kernels read them, copied when decoding began; null: others decode.
  std::shared_ptr<const model::PackedDecoder> packed = {};

  int64_t size() const { return static_cast<int64_t>(lengths.size()); }
  int64_t capacity() const { return keys.empty() ? 0 : keys.front().size(3); }
  /// The rows become these, int64 [k] on the CPU, repeats allowed.
  void keep(const Tensor& rows);
  /// Room for at least this many tokens a row.
  void reserve(int64_t tokens);
};

}  // namespace rlhf
