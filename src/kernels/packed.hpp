/// Products with a matrix that was packed once and is multiplied many times: in decoding, and in
/// passes over weights that do not learn.
///
///   float32, bfloat16   the panels of panels.hpp, one after the other
///   int8                a scale and a sum of the quantised numbers for each output, then panels of
///                       four numbers an element
#pragma once

#include "product.hpp"

namespace rlhf::kernels {
namespace {

/// Products of signed bytes (the matrix) and unsigned ones (128 + the other operand's), four of the
/// inner dimension at a time.
struct Int8 {
  using Element = uint32_t;
  static constexpr int64_t group = 4;
  static constexpr float most = 127;

  RLHF_INLINE static IntVector accumulate(IntVector sum, uint32_t a, IntVector b) {
#ifdef __AVX512VNNI__
    return (IntVector)_mm512_dpbusd_epi32((__m512i)sum, _mm512_set1_epi32(static_cast<int>(a)),
                                          (__m512i)b);
#else
    for (int shift = 0; shift < 32; shift += 8) {
      sum += static_cast<int32_t>(a >> shift & 0xFFU) * (b << (24 - shift) >> 24);
    }
    return sum;
#endif
  }
};

/// Bytes that stand for a row of floats: x = scale * byte, rounded to the nearest.
struct Quantised {
  float scale;    ///< 0 where the whole row is 0
  float inverse;  ///< of it

  Quantised(const float* row, int64_t count) {
    float most = 0;
#pragma omp simd reduction(max : most)
    for (int64_t k = 0; k < count; ++k) most = std::max(most, std::abs(row[k]));
    scale = most / Int8::most;
    inverse = most > 0 ? Int8::most / most : 0;
  }
  RLHF_INLINE int32_t operator()(float x) const {
    constexpr float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
    return static_cast<int32_t>(x * inverse + shift - shift);
  }
};

constexpr int64_t whole_panels(int64_t outputs) {
  return (outputs + panel - 1) / panel * panel;
}

int64_t packed_size(Number number, int64_t outputs, int64_t inputs) {
  const int64_t columns = whole_panels(outputs);
  switch (number) {
    case Number::float32:
      return columns * inputs * 4;
    case Number::bfloat16:
      return columns * groups_of<BFloat16>(inputs) * 4;
    case Number::int8:
      return columns * (groups_of<Int8>(inputs) + 2) * 4;
  }
  return 0;
}

template <class Kind>
void pack_panels(const Matrix& b, int64_t outputs, int64_t inputs, void* packed) {
  auto* to = static_cast<typename Kind::Element*>(packed);
  for_each_panel(outputs, [&](int64_t j, int64_t count, int64_t width) {
    pack_panel<Kind>({b.at + j * b.column, b.row, b.column}, inputs, count, width,
                     to + j * groups_of<Kind>(inputs));
  });
}

void pack_bytes(const float* matrix, int64_t outputs, int64_t inputs, void* packed) {
  const int64_t groups = groups_of<Int8>(inputs), columns = whole_panels(outputs);
  auto* scales = static_cast<float*>(packed);
  auto* sums = static_cast<int32_t*>(packed) + columns;
  auto* panels = static_cast<int8_t*>(packed) + 2 * columns * 4;
  std::memset(packed, 0, static_cast<size_t>(packed_size(Number::int8, outputs, inputs)));
  for_each_panel(outputs, [&](int64_t j, int64_t count, int64_t width) {
    int8_t* to = panels + j * groups * Int8::group;
    for (int64_t i = 0; i < count; ++i) {
      const float* row = matrix + (j + i) * inputs;
      const Quantised quantised(row, inputs);
      scales[j + i] = quantised.scale;
      for (int64_t k = 0; k < inputs; ++k) {
        const int32_t byte = quantised(row[k]);
        sums[j + i] += byte;
        to[(k / Int8::group * width + i) * Int8::group + k % Int8::group] =
            static_cast<int8_t>(byte);
      }
    }
  });
}

void pack(Number number, const Matrix& b, int64_t outputs, int64_t inputs, void* packed) {
  switch (number) {
    case Number::float32:
      return pack_panels<Float32>(b, outputs, inputs, packed);
    case Number::bfloat16:
      return pack_panels<BFloat16>(b, outputs, inputs, packed);
    case Number::int8:
      return pack_bytes(b.at, outputs, inputs, packed);
  }
}

template <class Kind>
void panels_product(const float* x, int64_t rows, const void* packed, int64_t outputs,
                    int64_t inputs, const float* from, int64_t from_row, float* y) {
  using Element = typename Kind::Element;
  static thread_local Scratch memory;
  const int64_t groups = groups_of<Kind>(inputs);
  [[maybe_unused]] const TileUnit tiles;
  with_rows<Kind>({x, inputs, 1}, rows, inputs, memory, [&](auto* a, auto strides) {
    for_each_panel(outputs, [&](int64_t j, int64_t count, int64_t width) {
      panel_product<Kind>(rows, groups, a, strides,
                          static_cast<const Element*>(packed) + j * groups, count, width,
                          from == nullptr ? nullptr : from + j, from_row, y + j, outputs);
    });
  });
}

/// Some rows times one panel, C vectors wide, of bytes.
template <int C, int R>
inline void byte_tile(int64_t groups, const uint32_t* a, const float* a_scales, const uint32_t* b,
                      const float* b_scales, const int32_t* b_sums, int64_t count,
                      const float* from, int64_t from_row, float* y, int64_t y_row) {
  IntVector sum[R][C] = {};
  for (int64_t k = 0; k < groups; ++k) {
    IntVector row[C];
    for (int v = 0; v < C; ++v) row[v] = load<IntVector>(b + (k * C + v) * lanes);
    for (int r = 0; r < R; ++r) {
      const uint32_t factor = a[r * groups + k];
      for (int v = 0; v < C; ++v) sum[r][v] = Int8::accumulate(sum[r][v], factor, row[v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    float whole[C * lanes];
    for (int v = 0; v < C; ++v) {
      const IntVector counted = sum[r][v] - 128 * load<IntVector>(b_sums + v * lanes);
      store(whole + v * lanes,
            __builtin_convertvector(counted, Vector) * (a_scales[r] * load(b_scales + v * lanes)));
    }
    float* to = y + r * y_row;
    if (from != nullptr) {
      for (int64_t j = 0; j < count; ++j) whole[j] += from[r * from_row + j];
    }
    std::copy_n(whole, count, to);
  }
}

template <int C, int R = tile_rows<C>, class... Rest>
inline void byte_tile_of_rows(int64_t rows, Rest... rest) {
  if constexpr (R > 0) {
    if (rows == R) {
      byte_tile<C, R>(rest...);
    } else {
      byte_tile_of_rows<C, R - 1>(rows, rest...);
    }
  }
}

void bytes_product(const float* x, int64_t rows, const void* packed, int64_t outputs,
                   int64_t inputs, const float* from, int64_t from_row, float* y) {
  static thread_local Scratch memory;
  const int64_t groups = groups_of<Int8>(inputs), columns = whole_panels(outputs);
  auto* bytes = static_cast<uint8_t*>(memory.take(static_cast<size_t>(rows * (groups + 1) * 4)));
  auto* scales = reinterpret_cast<float*>(bytes + rows * groups * 4);
  for (int64_t i = 0; i < rows; ++i) {
    const float* row = x + i * inputs;
    const Quantised quantised(row, inputs);
    scales[i] = quantised.scale;
    uint8_t* to = bytes + i * groups * 4;
#pragma omp simd
    for (int64_t k = 0; k < inputs; ++k) to[k] = static_cast<uint8_t>(quantised(row[k]) + 128);
    for (int64_t k = inputs; k < groups * 4; ++k) to[k] = 128;
  }
  const auto* b_scales = static_cast<const float*>(packed);
  const auto* b_sums = static_cast<const int32_t*>(packed) + columns;
  const auto* panels = static_cast<const uint32_t*>(packed) + 2 * columns;
  const auto* a = reinterpret_cast<const uint32_t*>(bytes);
  for_each_panel(outputs, [&](int64_t j, int64_t count, int64_t width) {
    for (int64_t i = 0; i < rows; i += tile_height) {
      const int64_t some = std::min(tile_height, rows - i);
      const float* start = from == nullptr ? nullptr : from + i * from_row + j;
      if (width == panel) {
        byte_tile_of_rows<2>(some, groups, a + i * groups, scales + i, panels + j * groups,
                             b_scales + j, b_sums + j, count, start, from_row, y + i * outputs + j,
                             outputs);
      } else {
        byte_tile_of_rows<1>(some, groups, a + i * groups, scales + i, panels + j * groups,
                             b_scales + j, b_sums + j, count, start, from_row, y + i * outputs + j,
                             outputs);
      }
    }
  });
}

void packed_product(Number number, const float* x, int64_t rows, const void* packed,
                    int64_t outputs, int64_t inputs, const float* from, int64_t from_row,
                    float* y) {
  switch (number) {
    case Number::float32:
      return panels_product<Float32>(x, rows, packed, outputs, inputs, from, from_row, y);
    case Number::bfloat16:
      return panels_product<BFloat16>(x, rows, packed, outputs, inputs, from, from_row, y);
    case Number::int8:
      return bytes_product(x, rows, packed, outputs, inputs, from, from_row, y);
  }
}

}  // namespace
}  // namespace rlhf::kernels
