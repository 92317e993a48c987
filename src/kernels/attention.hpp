/// Causal attention of one sequence, a block of queries at a time; part of kernels.cpp.
#pragma once

#include "kernels.hpp"
#include "panels.hpp"
#include "tile.hpp"

namespace rlhf::kernels {
namespace {

constexpr int64_t query_block = 24;

/// A call of memcpy would cost more than so few floats.
RLHF_INLINE void copy(const float* from, int64_t count, float* to) {
  for_each_vector(count, [&](int64_t d, auto part) { part.store(to + d, part.load(from + d)); });
}

/// Copies of a head's rows that the products can read: padded rows, or the transpose.
inline void copy_rows(const float* from, int64_t stride, int64_t rows, int64_t width, float* to) {
  const int64_t wide = widened(width);
  for (int64_t i = 0; i < rows; ++i) {
    copy(from + i * stride, width, to + i * wide);
    for (int64_t d = width; d < wide; ++d) to[i * wide + d] = 0;
  }
}
inline void copy_transposed(const float* from, int64_t stride, int64_t rows, int64_t width,
                            float* to) {
  transpose_groups<Float32>(from, stride, width, rows, padded(rows), to);
}

/// Rows that will soon be read or written, a head or some wide.
inline void prefetch_rows(const float* from, int64_t stride, int64_t rows, int64_t width) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t d = 0; d < width; d += 16) __builtin_prefetch(from + i * stride + d);
  }
}

int64_t attention_scratch(int64_t tokens, int64_t head_size) {
  const int64_t rows = tokens * widened(head_size), transposed = head_size * padded(tokens);
  return 6 * rows + 2 * transposed + 2 * query_block * (padded(tokens) + widened(head_size));
}

void attention(const AttentionHeads& in, float* out, int64_t out_stride, float* log_sum,
               int64_t sum_stride, float* scratch) {
  const int64_t size = in.head_size, wide = widened(size), long_ = padded(in.tokens);
  const float sharpness = 1.0F / std::sqrt(static_cast<float>(size));
  float* keys = scratch;
  float* values = keys + size * long_;
  float* scores = values + in.tokens * wide;
  float* mixed = scores + query_block * long_;
  copy_transposed(in.keys, in.row_stride, in.tokens, size, keys);
  copy_rows(in.values, in.row_stride, in.tokens, size, values);
  for (int64_t head = 0; head < in.heads; ++head) {
    const float* queries = in.queries + head * size;
    for (int64_t begin = 0; begin < in.tokens; begin += query_block) {
      const int64_t rows = std::min(query_block, in.tokens - begin), seen = begin + rows;
      if (in.next != 0) {
        const int64_t row = begin * in.row_stride, ahead = in.next * size;
        prefetch_rows(queries + row + ahead * in.heads, in.row_stride, rows, size);
        prefetch_rows(out + begin * out_stride + head * size + ahead * in.heads, out_stride, rows,
                      size);
        if (head == 0) {
          prefetch_rows(in.keys + row + ahead, in.row_stride, rows, size);
          prefetch_rows(in.values + row + ahead, in.row_stride, rows, size);
        }
      }
      multiply(rows, padded(seen), size, queries + begin * in.row_stride, in.row_stride, 1, keys,
               long_, scores, long_);
      float inverse[query_block];
      for (int64_t i = 0; i < rows; ++i) {
        float* row = scores + i * long_;
        const int64_t visible = begin + i + 1;
        hide_from(row, visible);
        const float greatest = greatest_of(row, padded(visible));
        const float sum = exponentiate(row, padded(visible), greatest, sharpness);
        for (int64_t j = padded(visible); j < seen; ++j) row[j] = 0;
        inverse[i] = 1.0F / sum;
        if (log_sum != nullptr) {
          log_sum[(begin + i) * sum_stride + head] = greatest * sharpness + std::log(sum);
        }
      }
      multiply(rows, wide, seen, scores, long_, 1, values, wide, mixed, wide);
      for (int64_t i = 0; i < rows; ++i) {
        float* to = out + (begin + i) * out_stride + head * size;
        const float* row = mixed + i * wide;
        for_each_vector(size, [&](int64_t d, auto part) {
          part.store(to + d, part.load(row + d) * inverse[i]);
        });
      }
    }
  }
}

// With p = softmax(s), s = q k^T / sqrt(size), o = p v:
//   dv = p^T do,  dp = do v^T,  ds = p (dp - do . o),  dq = ds k,  dk = ds^T q  (/ sqrt(size))
void attention_backward(const AttentionHeads& in, const float* out, const float* out_gradient,
                        int64_t out_stride, const float* log_sum, int64_t sum_stride,
                        float* queries_gradient, float* keys_gradient, float* values_gradient,
                        float* scratch) {
  const int64_t size = in.head_size, wide = widened(size), long_ = padded(in.tokens);
  const float sharpness = 1.0F / std::sqrt(static_cast<float>(size));
  const int64_t rows_size = in.tokens * wide;
  float* keys_across = scratch;
  float* values_across = keys_across + size * long_;
  float* keys = values_across + size * long_;
  float* queries = keys + rows_size;
  float* gradients = queries + rows_size;
  float* key_sums = gradients + rows_size;
  float* value_sums = key_sums + rows_size;
  float* p = value_sums + rows_size;
  float* ds = p + query_block * long_;
  float* dq = ds + query_block * long_;
  copy_transposed(in.keys, in.row_stride, in.tokens, size, keys_across);
  copy_transposed(in.values, in.row_stride, in.tokens, size, values_across);
  copy_rows(in.keys, in.row_stride, in.tokens, size, keys);
  std::fill(key_sums, p, 0.0F);
  for (int64_t head = 0; head < in.heads; ++head) {
    copy_rows(in.queries + head * size, in.row_stride, in.tokens, size, queries);
    copy_rows(out_gradient + head * size, out_stride, in.tokens, size, gradients);
    for (int64_t begin = 0; begin < in.tokens; begin += query_block) {
      const int64_t rows = std::min(query_block, in.tokens - begin), seen = begin + rows;
      if (in.next != 0) {
        const int64_t row = begin * in.row_stride, ahead = in.next * size;
        const int64_t across = head * size + ahead * in.heads;
        prefetch_rows(in.queries + row + across, in.row_stride, rows, size);
        prefetch_rows(queries_gradient + row + across, in.row_stride, rows, size);
        prefetch_rows(out + begin * out_stride + across, out_stride, rows, size);
        prefetch_rows(out_gradient + begin * out_stride + across, out_stride, rows, size);
        if (head == 0) {
          prefetch_rows(in.keys + row + ahead, in.row_stride, rows, size);
          prefetch_rows(in.values + row + ahead, in.row_stride, rows, size);
          prefetch_rows(keys_gradient + row + ahead, in.row_stride, rows, size);
          prefetch_rows(values_gradient + row + ahead, in.row_stride, rows, size);
        }
      }
      multiply(rows, padded(seen), size, queries + begin * wide, wide, 1, keys_across, long_, p,
               long_);
      multiply(rows, padded(seen), size, gradients + begin * wide, wide, 1, values_across, long_,
               ds, long_);
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t visible = begin + i + 1;
        const float* o = out + (begin + i) * out_stride + head * size;
        const float* g = gradients + (begin + i) * wide;
        Vector products = {};
        for_each_vector(
            size, [&](int64_t d, auto part) { products += part.load(o + d) * part.load(g + d); });
        const float along = sum_of(products);
        const float log_total = log_sum[(begin + i) * sum_stride + head];
        float* p_row = p + i * long_;
        float* ds_row = ds + i * long_;
        hide_from(p_row, visible);
        for (int64_t j = 0; j < padded(visible); j += lanes) {
          const Vector share = exponential(load(p_row + j) * sharpness - log_total);
          store(p_row + j, share);
          store(ds_row + j, share * (load(ds_row + j) - along) * sharpness);
        }
        for (int64_t j = padded(visible); j < seen; ++j) p_row[j] = ds_row[j] = 0;
      }
      multiply(rows, wide, seen, ds, long_, 1, keys, wide, dq, wide);
      for (int64_t i = 0; i < rows; ++i) {
        copy(dq + i * wide, size, queries_gradient + (begin + i) * in.row_stride + head * size);
      }
      multiply(seen, wide, rows, p, 1, long_, gradients + begin * wide, wide, value_sums, wide,
               true);
      multiply(seen, wide, rows, ds, 1, long_, queries + begin * wide, wide, key_sums, wide, true);
    }
  }
  for (int64_t i = 0; i < in.tokens; ++i) {
    copy(key_sums + i * wide, size, keys_gradient + i * in.row_stride);
    copy(value_sums + i * wide, size, values_gradient + i * in.row_stride);
  }
}

}  // namespace
}  // namespace rlhf::kernels
