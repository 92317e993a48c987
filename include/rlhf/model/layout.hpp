/// Where the tokens of a ragged batch lie, and the way from packed rows to padded ones and back.
/// Only attention needs the padded form; everything else works on the packed one.
#pragma once

#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// B sequences end to end.
struct SequenceLayout {
  std::vector<int64_t> lengths;  ///< tokens of each sequence, [B]; 0 is allowed
  int64_t longest = 0;           ///< T
  int64_t tokens = 0;            ///< N
  Tensor positions;              ///< int64 [N], 0-based place of each token in its sequence
  Tensor slot_tokens;            ///< int64 [B*T], token in each padded slot; padding names token 0
  Tensor token_slots;            ///< int64 [N], padded slot of each token

  SequenceLayout(std::vector<int64_t> lengths, at::Device device);
  int64_t size() const { return static_cast<int64_t>(lengths.size()); }
  /// All lengths equal: packed and padded are one memory layout.
  bool is_rectangular() const { return tokens == size() * longest; }
};

/// [N, ...] to [B, T, ...]. Padding holds token 0's row: finite, and behind every real query.
Tensor pad(const Tensor& packed, const SequenceLayout& layout);

/// [B, T, ...] to [N, ...].
Tensor unpad(const Tensor& padded, const SequenceLayout& layout);

/// The rows named by `rows` (int64 [P], each at most once), differentiable.
Tensor select_rows(const Tensor& packed, const Tensor& rows);

}  // namespace rlhf::model
