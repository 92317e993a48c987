/// Attention of one token to what came before it: the decoding step's share of attention.
#pragma once

#include "kernels.hpp"
#include "tile.hpp"

namespace rlhf::kernels {
namespace {

// One query is too few rows for a tile to fill the pipeline: each sum waits for its own last
// addition. So four blocks of positions run side by side here, and four positions below.
constexpr int64_t side_by_side = 4;

/// Scores of `blocks` blocks of positions.
template <int64_t blocks>
RLHF_INLINE void score_blocks(const float* query, int64_t head_size, const float* keys,
                              float* scores) {
  constexpr int64_t vectors = key_block / lanes;
  Vector sum[blocks * vectors] = {};
  for (int64_t d = 0; d < head_size; ++d) {
    for (int64_t v = 0; v < blocks * vectors; ++v) {
      const float* block = keys + v / vectors * head_size * key_block;
      sum[v] += query[d] * load(block + d * key_block + v % vectors * lanes);
    }
  }
  for (int64_t v = 0; v < blocks * vectors; ++v) store(scores + v * lanes, sum[v]);
}

inline void score(const float* query, int64_t head_size, const float* keys, int64_t length,
                  float* scores) {
  int64_t left = (length + key_block - 1) / key_block;
  const auto next = [&](int64_t blocks) {
    keys += blocks * head_size * key_block;
    scores += blocks * key_block;
    left -= blocks;
  };
  for (; left >= side_by_side; next(side_by_side))
    score_blocks<side_by_side>(query, head_size, keys, scores);
  if (left == 3) score_blocks<3>(query, head_size, keys, scores);
  if (left == 2) score_blocks<2>(query, head_size, keys, scores);
  if (left == 1) score_blocks<1>(query, head_size, keys, scores);
}

/// out [width] = shares values * scale, for one vector of columns.
template <class V>
RLHF_INLINE V mix_block(const float* shares, const float* values, int64_t head_size,
                        int64_t length) {
  V sum[side_by_side] = {};
  int64_t j = 0;
  for (; j + side_by_side <= length; j += side_by_side) {
    for (int64_t k = 0; k < side_by_side; ++k) {
      sum[k] += shares[j + k] * load<V>(values + (j + k) * head_size);
    }
  }
  for (; j < length; ++j) sum[0] += shares[j] * load<V>(values + j * head_size);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void attend(const float* queries, int64_t heads, int64_t head_size, const float* keys,
            const float* values, int64_t length, float* out, float* scratch) {
  const float sharpness = 1.0F / std::sqrt(static_cast<float>(head_size));
  for (int64_t head = 0; head < heads; ++head) {
    score(queries + head * head_size, head_size, keys, length, scratch);
    hide_from(scratch, length);
    const float greatest = greatest_of(scratch, padded(length));
    const float inverse = 1.0F / exponentiate(scratch, padded(length), greatest, sharpness);
    float* to = out + head * head_size;
    if (head_size == lanes / 2) {
      using Half = VectorOf<float, lanes / 2>;
      store(to, mix_block<Half>(scratch, values, head_size, length) * inverse);
    } else {
      for_each_vector(head_size, [&](int64_t d, auto part) {
        part.store(to + d, mix_block<Vector>(scratch, values + d, head_size, length) * inverse);
      });
    }
  }
}

}  // namespace
}  // namespace rlhf::kernels
