/// Vectors of floats as wide as the instruction set that the including file is compiled for, and
/// the small matrix product that attention and decoding are made of.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace rlhf::kernels {
namespace {

#if defined(__AVX512F__)
constexpr int64_t lanes = 16;
#elif defined(__AVX2__)
constexpr int64_t lanes = 8;
#else
constexpr int64_t lanes = 4;
#endif
using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

inline Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
inline void store(float* to, Vector v) {
  std::memcpy(to, &v, sizeof v);
}

constexpr int64_t padded(int64_t count) {
  return (count + lanes - 1) / lanes * lanes;
}

/// e^x to 2 units in the last place; 0 below -87.3, infinity above 88.7, NaN stays NaN. Plain
/// arithmetic without branches, so that loops over it become vector code.
inline float exponential(float x) {
  constexpr float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const float clamped = std::min(std::max(x, -87.3F), 88.8F);
  const float rounded = clamped * 1.44269504F + shift;
  const float n = rounded - shift;
  const float r = (clamped - n * 0.693145752F) - n * 1.42860677e-6F;
  float p = 1.38805590e-3F;
  p = p * r + 8.37340485e-3F;
  p = p * r + 4.16695364e-2F;
  p = p * r + 1.66665002e-1F;
  p = p * r + 4.99999891e-1F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  // 2^n in two steps: 2^128 alone is not a float.
  const int32_t half = static_cast<int32_t>(n) >> 1;
  const int32_t rest = static_cast<int32_t>(n) - half;
  const float result =
      p * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((rest + 127) << 23);
  return x < -87.3F ? 0.0F : (x == x ? result : x);
}

inline float greatest_of(const float* row, int64_t count) {
  float greatest = row[0];
#pragma omp simd reduction(max : greatest)
  for (int64_t j = 0; j < count; ++j) greatest = std::max(greatest, row[j]);
  return greatest;
}

/// Turns a row into exp((x - greatest) * sharpness), in place: the softmax but for its division by
/// the sum, which is returned.
inline float exponentiate(float* row, int64_t count, float greatest, float sharpness) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < count; ++j) {
    row[j] = exponential((row[j] - greatest) * sharpness);
    sum += row[j];
  }
  return sum;
}

/// c [R, columns] (+)= a b, with a's element (r, k) at a[r * a_row + k * a_column], b's row k at
/// b + k * b_row; columns a multiple of `lanes`.
template <int R, int C>
inline void tile(int64_t inner, const float* a, int64_t a_row, int64_t a_column, const float* b,
                 int64_t b_row, float* c, int64_t c_row, bool add) {
  Vector sum[R][C];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < C; ++v) {
      sum[r][v] = add ? load(c + r * c_row + v * lanes) : Vector{};
    }
  }
  for (int64_t k = 0; k < inner; ++k) {
    Vector row[C];
    for (int v = 0; v < C; ++v) row[v] = load(b + k * b_row + v * lanes);
    for (int r = 0; r < R; ++r) {
      const float factor = a[r * a_row + k * a_column];
      for (int v = 0; v < C; ++v) sum[r][v] += factor * row[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < C; ++v) store(c + r * c_row + v * lanes, sum[r][v]);
  }
}

/// Rows a tile of C vectors takes: accumulators, C loads and a broadcast fit the registers.
template <int C>
constexpr int tile_rows = lanes == 16 ? (C == 2 ? 12 : 14) : (C == 2 ? 6 : 8);

template <int C, int R = tile_rows<C>>
inline void tile_rest(int64_t rows, int64_t inner, const float* a, int64_t a_row, int64_t a_column,
                      const float* b, int64_t b_row, float* c, int64_t c_row, bool add) {
  if constexpr (R > 0) {
    if (rows == R) {
      tile<R, C>(inner, a, a_row, a_column, b, b_row, c, c_row, add);
    } else {
      tile_rest<C, R - 1>(rows, inner, a, a_row, a_column, b, b_row, c, c_row, add);
    }
  }
}

template <int C>
inline void tile_column(int64_t rows, int64_t inner, const float* a, int64_t a_row,
                        int64_t a_column, const float* b, int64_t b_row, float* c, int64_t c_row,
                        bool add) {
  constexpr int R = tile_rows<C>;
  for (int64_t r = 0; r < rows; r += R) {
    tile_rest<C>(std::min<int64_t>(R, rows - r), inner, a + r * a_row, a_row, a_column, b, b_row,
                 c + r * c_row, c_row, add);
  }
}

/// c [rows, columns] (+)= a b: see tile().
inline void multiply(int64_t rows, int64_t columns, int64_t inner, const float* a, int64_t a_row,
                     int64_t a_column, const float* b, int64_t b_row, float* c, int64_t c_row,
                     bool add = false) {
  int64_t j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) {
    tile_column<2>(rows, inner, a, a_row, a_column, b + j, b_row, c + j, c_row, add);
  }
  if (j < columns) tile_column<1>(rows, inner, a, a_row, a_column, b + j, b_row, c + j, c_row, add);
}

}  // namespace
}  // namespace rlhf::kernels
