/// Register tiles: the block of sums that a matrix product keeps in registers while it walks along
/// the inner dimension, for each kind of number.
#pragma once

#include "vector.hpp"

namespace rlhf::kernels {
namespace {

/// Products of float32, `width` columns in a vector.
template <int64_t width>
struct Floats {
  using Element = float;               ///< of a and b as the tile reads them
  using Sum = VectorOf<float, width>;  ///< of c
  using Columns = Sum;                 ///< of b
  static constexpr int64_t group = 1;  ///< numbers of the inner dimension in an element

  RLHF_INLINE static Sum accumulate(Sum sum, float a, Sum b) { return sum + a * b; }
};
using Float32 = Floats<lanes>;
/// Where there are no more columns than that, the other half would be idle.
using HalfFloat32 = Floats<lanes / 2>;

/// bfloat16 bits of x, rounded to the nearest, ties to even; NaN stays NaN.
RLHF_INLINE uint32_t bfloat16_bits(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  return x == x ? rounded : 0x7FC0U;
}

/// Products of bfloat16, two of the inner dimension at a time, summed in float32.
struct BFloat16 {
  using Element = uint32_t;  ///< the first number in the lower half
  using Sum = Vector;
  using Columns = IntVector;
  static constexpr int64_t group = 2;
#ifdef __AMX_BF16__
  static constexpr int64_t groups_a_tile = 16;
#else
  static constexpr int64_t groups_a_tile = 1;
#endif

  RLHF_INLINE static Vector accumulate(Vector sum, uint32_t a, IntVector b) {
#ifdef __AVX512BF16__
    return (Vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(static_cast<int>(a)),
                                    (__m512bh)b);
#else
    const auto upper = static_cast<int32_t>(0xFFFF0000U);
    sum += std::bit_cast<float>(a << 16) * (Vector)(b << 16);
    return sum + std::bit_cast<float>(a & 0xFFFF0000U) * (Vector)(b & upper);
#endif
  }
};

/// Columns in a vector.
template <class Kind>
constexpr int64_t lanes_of = sizeof(typename Kind::Sum) / sizeof(float);

/// c [R, C vectors] = from + a b, with a's element (r, k) at a[r * a_row + k * a_column], b's row k
/// at b + k * b_row; `from` null: zeros.
template <class Kind, int R, int C>
RLHF_INLINE void tile(int64_t inner, const typename Kind::Element* a, int64_t a_row,
                      int64_t a_column, const typename Kind::Element* b, int64_t b_row,
                      const float* from, int64_t from_row, float* c, int64_t c_row) {
  using Sum = typename Kind::Sum;
  using Columns = typename Kind::Columns;
  constexpr int64_t width = lanes_of<Kind>;
  Sum sum[R][C];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < C; ++v) {
      sum[r][v] = from != nullptr ? load<Sum>(from + r * from_row + v * width) : Sum{};
    }
  }
  // A pointer for every third row: for one each, the compiler has not enough registers.
  constexpr int apart = 3, pointers = (R + apart - 1) / apart;
  const typename Kind::Element* rows[pointers];
  for (int i = 0; i < pointers; ++i) rows[i] = a + i * apart * a_row;
  for (int64_t k = 0; k < inner; ++k) {
    for (auto& pointer : rows) asm("" : "+r"(pointer));  // so it makes no others of them
    Columns row[C];
    for (int v = 0; v < C; ++v) row[v] = load<Columns>(b + k * b_row + v * width);
    for (int r = 0; r < R; ++r) {
      const auto factor = rows[r / apart][r % apart * a_row];
      for (int v = 0; v < C; ++v) sum[r][v] = Kind::accumulate(sum[r][v], factor, row[v]);
    }
    for (auto& pointer : rows) pointer += a_column;
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < C; ++v) store(c + r * c_row + v * width, sum[r][v]);
  }
}

/// Rows a tile of C vectors takes: accumulators, C loads and a broadcast fit the registers.
template <int C>
constexpr int tile_rows = lanes == 16 ? 12 : (C == 2 ? 6 : 8);

/// Strides of a left operand whose rows lie in memory somehow: to the next row, to the next element
/// along the inner dimension, to the next tile.
struct Strides {
  int64_t row, column, strip;
};

/// Where the inner dimension lies side by side.
struct RowStrides {
  static constexpr int64_t column = 1;
  int64_t row, strip;
};

/// A tile of fewer rows.
template <class Kind, int C, int R = tile_rows<C> - 1>
[[gnu::noinline]] void low_tile(int64_t rows, int64_t inner, const typename Kind::Element* a,
                                int64_t a_row, int64_t a_column, const typename Kind::Element* b,
                                int64_t b_row, const float* from, int64_t from_row, float* c,
                                int64_t c_row) {
  if constexpr (R > 0) {
    if (rows == R) {
      tile<Kind, R, C>(inner, a, a_row, a_column, b, b_row, from, from_row, c, c_row);
    } else {
      low_tile<Kind, C, R - 1>(rows, inner, a, a_row, a_column, b, b_row, from, from_row, c, c_row);
    }
  }
}

/// Any number of rows, R at a time, C vectors of columns.
/// @param strides  as Strides has them, some of them constant perhaps
template <class Kind, int C, int R = tile_rows<C>, class LeftStrides>
[[gnu::noinline]] void tile_column(int64_t rows, int64_t inner, const typename Kind::Element* a,
                                   LeftStrides strides, const typename Kind::Element* b,
                                   int64_t b_row, const float* from, int64_t from_row, float* c,
                                   int64_t c_row) {
  int64_t r = 0;
  for (; r + R <= rows; r += R, a += strides.strip) {
    if constexpr (!std::is_same_v<LeftStrides, Strides>) {
      for (int i = 0; i < R; ++i) {
        for (int v = 0; v < C; ++v) __builtin_prefetch(c + (r + i) * c_row + v * lanes_of<Kind>, 1);
      }
    }
    tile<Kind, R, C>(inner, a, strides.row, strides.column, b, b_row,
                     from == nullptr ? nullptr : from + r * from_row, from_row, c + r * c_row,
                     c_row);
  }
  if (r < rows) {
    low_tile<Kind, C, R - 1>(rows - r, inner, a, strides.row, strides.column, b, b_row,
                             from == nullptr ? nullptr : from + r * from_row, from_row,
                             c + r * c_row, c_row);
  }
}

/// Columns that multiply() computes for `columns`.
constexpr int64_t widened(int64_t columns) {
  return columns <= lanes / 2 ? lanes / 2 : padded(columns);
}

/// c [rows, columns] (+)= a b of float32, nothing packed; columns as widened() makes them.
inline void multiply(int64_t rows, int64_t columns, int64_t inner, const float* a, int64_t a_row,
                     int64_t a_column, const float* b, int64_t b_row, float* c, int64_t c_row,
                     bool add = false) {
  const float* from = add ? c : nullptr;
  if (columns < lanes) {
    tile_column<HalfFloat32, 1>(rows, inner, a, Strides{a_row, a_column, tile_rows<1> * a_row}, b,
                                b_row, from, c_row, c, c_row);
    return;
  }
  for (int64_t j = 0; j < columns; j += 2 * lanes) {
    if (add) from = c + j;
    if (columns - j == lanes) {
      tile_column<Float32, 1>(rows, inner, a, Strides{a_row, a_column, tile_rows<1> * a_row}, b + j,
                              b_row, from, c_row, c + j, c_row);
    } else {
      tile_column<Float32, 2>(rows, inner, a, Strides{a_row, a_column, tile_rows<2> * a_row}, b + j,
                              b_row, from, c_row, c + j, c_row);
    }
  }
}

}  // namespace
}  // namespace rlhf::kernels
