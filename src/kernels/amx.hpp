/// Products of bfloat16 by the tile unit (Intel AMX): sixteen rows times sixteen columns at a time.
#pragma once

#include <immintrin.h>

#include "panels.hpp"

namespace rlhf::kernels {
namespace {

#ifdef __AMX_BF16__

constexpr int64_t amx_rows = 16, amx_columns = 16, amx_groups = 16;  ///< of a tile

/// Where a thread has it, its tiles have a shape.
class TileUnit {
 public:
  TileUnit() {
    Configuration configuration;
    for (int i = 0; i < 8; ++i) {
      configuration.row_bytes[i] = 64;
      configuration.rows[i] = amx_rows;
    }
    // GCC 12's own function tells the compiler of the first eight bytes alone (its bug 114098).
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  TileUnit(const TileUnit&) = delete;
  TileUnit& operator=(const TileUnit&) = delete;
  ~TileUnit() { _tile_release(); }

 private:
  struct alignas(64) Configuration {
    uint8_t palette = 1, first_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  };
};

/// c [16 R, 16 C] = c + a b, all of it there; strides in elements.
template <int R, int C>
inline void amx_tile(int64_t groups, const uint32_t* a, int64_t a_row, const uint32_t* b,
                     int64_t b_row, const float* from, int64_t from_row, float* c, int64_t c_row) {
  const int64_t a_bytes = a_row * 4, b_bytes = b_row * 4, c_bytes = c_row * 4;
  asm volatile("" ::: "memory");  // the loads below tell the compiler of no memory they read
  if (from != nullptr) {
    const int64_t from_bytes = from_row * 4;
    _tile_loadd(0, from, from_bytes);
    if constexpr (C == 2) _tile_loadd(1, from + amx_columns, from_bytes);
    if constexpr (R == 2) {
      const float* lower = from + amx_rows * from_row;
      _tile_loadd(2, lower, from_bytes);
      if constexpr (C == 2) _tile_loadd(3, lower + amx_columns, from_bytes);
    }
  } else {
    _tile_zero(0);
    if constexpr (C == 2) _tile_zero(1);
    if constexpr (R == 2) {
      _tile_zero(2);
      if constexpr (C == 2) _tile_zero(3);
    }
  }
  for (int64_t k = 0; k < groups; k += amx_groups) {
    _tile_loadd(6, b + k * b_row, b_bytes);
    _tile_loadd(4, a + k, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (R == 2) {
      _tile_loadd(5, a + amx_rows * a_row + k, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
    }
    if constexpr (C == 2) {
      _tile_loadd(7, b + k * b_row + amx_columns, b_bytes);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (R == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, c, c_bytes);
  if constexpr (C == 2) _tile_stored(1, c + amx_columns, c_bytes);
  if constexpr (R == 2) {
    float* lower = c + amx_rows * c_row;
    _tile_stored(2, lower, c_bytes);
    if constexpr (C == 2) _tile_stored(3, lower + amx_columns, c_bytes);
  }
}

/// Up to 32 rows times one panel of `width` columns, into `count` of them. Rows of a behind the
/// last may be anything, as long as they are there.
inline void amx_panel(int64_t rows, int64_t groups, const uint32_t* a, int64_t a_row,
                      const uint32_t* b, int64_t count, int64_t width, const float* from,
                      int64_t from_row, float* c, int64_t c_row) {
  const bool two_rows = rows > amx_rows, two_columns = width > amx_columns;
  const int64_t whole_rows = two_rows ? 2 * amx_rows : amx_rows;
  const bool partial = rows < whole_rows || count < width;
  alignas(64) float whole[4 * amx_rows * amx_columns];
  float* to = c;
  int64_t to_row = c_row;
  if (partial) {  // through memory that has all rows and columns
    for (int64_t r = 0; from != nullptr && r < rows; ++r) {
      std::copy_n(from + r * from_row, count, whole + r * width);
    }
    to = whole;
    to_row = width;
    if (from != nullptr) {
      from = whole;
      from_row = width;
    }
  }
  if (two_rows) {
    (two_columns ? amx_tile<2, 2> : amx_tile<2, 1>)(groups, a, a_row, b, width, from, from_row, to,
                                                    to_row);
  } else {
    (two_columns ? amx_tile<1, 2> : amx_tile<1, 1>)(groups, a, a_row, b, width, from, from_row, to,
                                                    to_row);
  }
  for (int64_t r = 0; partial && r < rows; ++r) {
    std::copy_n(whole + r * width, count, c + r * c_row);
  }
}

/// Rows whose inner dimension is `stride` apart, row after row: [count, to_row] elements, of which
/// each gets `groups`, zeros behind the end of `inner`.
inline void amx_transposed_rows(const float* from, int64_t stride, int64_t inner, int64_t count,
                                int64_t groups, int64_t to_row, uint32_t* to) {
  static_assert(lanes == amx_groups);
  for (int64_t g = 0; g < groups; g += lanes) {
    for (int64_t i = 0; i < count; i += lanes) {
      const int64_t some = std::min(lanes, count - i);
      IntVector square[lanes] = {};
      for (int64_t k = 0; k < lanes && (g + k) * 2 < inner; ++k) {
        alignas(64) uint32_t pairs[lanes] = {};
        const float* first = from + i + (g + k) * 2 * stride;
        if ((g + k) * 2 + 1 < inner) {
          pair_rows(first, first + stride, some, pairs);
        } else {
          for (int64_t j = 0; j < some; ++j) pairs[j] = bfloat16_bits(first[j]);
        }
        square[k] = load<IntVector>(pairs);
      }
      transpose(square);
      for (int64_t r = 0; r < some; ++r) store(to + (i + r) * to_row + g, square[r]);
    }
  }
}

#else

/// There is none.
struct TileUnit {};

#endif

}  // namespace
}  // namespace rlhf::kernels
