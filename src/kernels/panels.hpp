/// Operands of a product copied into the order in which tiles read them, converted on the way.
///
///   panel of b:  [groups, width]   group after group along the inner dimension, `width` columns
///   strip of a:  [groups, R]       the same for the R rows of a tile
///
/// A group is what one element holds: 1 float32 or 2 bfloat16 of the inner dimension, zeros behind
/// its end. Where tiles take several groups at a time there are as many more, of zeros.
#pragma once

#include <array>

#include "kernels.hpp"
#include "tile.hpp"

namespace rlhf::kernels {
namespace {

/// Groups that hold numbers.
template <class Kind>
constexpr int64_t filled_groups(int64_t inner) {
  return (inner + Kind::group - 1) / Kind::group;
}

/// Groups that there are.
template <class Kind>
constexpr int64_t groups_of(int64_t inner) {
  const int64_t filled = filled_groups<Kind>(inner);
  if constexpr (std::is_same_v<Kind, BFloat16>) {
    return (filled + BFloat16::groups_a_tile - 1) / BFloat16::groups_a_tile *
           BFloat16::groups_a_tile;
  }
  return filled;
}

/// The two halves, interleaved: (a0, b0, a1, b1, ...) in two vectors.
template <size_t... I>
RLHF_INLINE void interleave(IntVector a, IntVector b, IntVector& low, IntVector& high,
                            std::index_sequence<I...>) {
  low = __builtin_shufflevector(a, b, static_cast<int>(I / 2 + I % 2 * lanes)...);
  high = __builtin_shufflevector(a, b, static_cast<int>(lanes / 2 + I / 2 + I % 2 * lanes)...);
}

/// Square of lanes x lanes elements, rows and columns exchanged.
RLHF_INLINE void transpose(IntVector (&square)[lanes]) {
  IntVector next[lanes];
  for (int64_t stage = 1; stage < lanes; stage *= 2) {
    for (int64_t i = 0; i < lanes / 2; ++i) {
      interleave(square[i], square[i + lanes / 2], next[2 * i], next[2 * i + 1],
                 std::make_index_sequence<static_cast<size_t>(lanes)>{});
    }
    for (int64_t i = 0; i < lanes; ++i) square[i] = next[i];
  }
}

/// count float32 as bfloat16, two in an element; an odd one's partner is zero.
RLHF_INLINE void to_bfloat16(const float* from, int64_t count, uint32_t* to) {
  int64_t i = 0;
#ifdef __AVX512BF16__
  for (; i + 32 <= count; i += 32) {
    const auto pairs = _mm512_cvtne2ps_pbh((__m512)load(from + i + 16), (__m512)load(from + i));
    store(to + i / 2, pairs);
  }
#endif
#pragma omp simd
  for (int64_t j = i / 2; j < count / 2; ++j) {
    to[j] = bfloat16_bits(from[2 * j]) | bfloat16_bits(from[2 * j + 1]) << 16;
  }
  if (count % 2 != 0) to[count / 2] = bfloat16_bits(from[count - 1]);
}

#ifdef __AVX512BF16__
/// Two rows of float32 as pairs, one in each element.
RLHF_INLINE __m512i pairs_of(__m512 first, __m512 second) {
  alignas(64) static constexpr auto order = [] {
    std::array<int16_t, 32> places{};
    for (size_t i = 0; i < places.size(); ++i) {
      places[i] = static_cast<int16_t>(i / 2 + i % 2 * 16);
    }
    return places;
  }();
  return _mm512_permutexvar_epi16(_mm512_load_si512(order.data()),
                                  (__m512i)_mm512_cvtne2ps_pbh(second, first));
}
#endif

/// One group of `count` columns that lie side by side: rows `first` and `second` of the matrix.
RLHF_INLINE void pair_rows(const float* first, const float* second, int64_t count, uint32_t* to) {
#ifdef __AVX512BF16__
  for_each_vector(count, [&](int64_t i, auto part) {
    part.store(reinterpret_cast<float*>(to) + i,
               (Vector)pairs_of((__m512)part.load(first + i), (__m512)part.load(second + i)));
  });
#else
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) {
    to[j] = bfloat16_bits(first[j]) | bfloat16_bits(second[j]) << 16;
  }
#endif
}

/// `count` neighbours along the strided dimension, all of `inner`: columns of b or rows of a whose
/// inner dimension is `stride` apart. to: [groups, width], columns behind `count` are zeros.
template <class Kind, int64_t width>
inline void copy_groups(const float* from, int64_t stride, int64_t inner, int64_t count,
                        typename Kind::Element* to) {
  for (int64_t k = 0; k < inner; k += Kind::group, to += width) {
    const float* row = from + k * stride;
    if constexpr (std::is_same_v<Kind, Float32>) {
      if (count == width) {
        std::memcpy(to, row, sizeof(float) * static_cast<size_t>(width));
        continue;
      }
      for (int64_t j = 0; j < count; ++j) to[j] = row[j];
    } else if (k + 1 < inner) {
      pair_rows(row, row + stride, count == width ? width : count, to);
    } else {
      for (int64_t j = 0; j < count; ++j) to[j] = bfloat16_bits(row[j]);
    }
    for (int64_t j = count; j < width; ++j) to[j] = {};
  }
}

#ifdef __AVX512F__
/// Sixteen elements of two vectors, from the `first` on.
template <int first, size_t... I>
RLHF_INLINE IntVector window(IntVector low, IntVector high, std::index_sequence<I...>) {
  return __builtin_shufflevector(low, high, static_cast<int>(first + I)...);
}

/// Four strips of a tile's rows at a time, three vectors of neighbours: copy_groups() has to cut
/// each of its vectors. What a whole vector stores behind a group, the next group overwrites.
template <class Kind>
inline void copy_four_strips(const float* from, int64_t stride, int64_t inner, int64_t strip,
                             typename Kind::Element* to) {
  constexpr int64_t rows = tile_rows<2>;
  static_assert(4 * rows == 3 * lanes);
  constexpr auto all = std::make_index_sequence<static_cast<size_t>(lanes)>{};
  for (int64_t k = 0; k < inner; k += Kind::group, to += rows) {
    uint32_t pairs[3 * lanes];
    const float* first = from + k * stride;
    if constexpr (Kind::group == 2) {
      if (k + 1 < inner) {
        pair_rows(first, first + stride, 3 * lanes, pairs);
      } else {
        for (int64_t j = 0; j < 3 * lanes; ++j) pairs[j] = bfloat16_bits(first[j]);
      }
    }
    const void* group = Kind::group == 2 ? static_cast<const void*>(pairs) : first;
    const auto part = [&](int64_t i) {
      return load<IntVector>(static_cast<const uint32_t*>(group) + i * lanes);
    };
    const IntVector low = part(0), middle = part(1), high = part(2);
    const IntVector groups[4] = {low, window<12>(low, middle, all), window<8>(middle, high, all),
                                 window<4>(high, high, all)};
    for (int64_t i = 0; i < 4; ++i) {
      auto* const place = reinterpret_cast<float*>(to + i * strip);
      if (k + Kind::group < inner) {
        store(place, groups[i]);
      } else {
        Some{rows}.store(place, (Vector)groups[i]);
      }
    }
  }
}
#endif

/// The same where the inner dimension lies side by side and neighbours are `stride` apart.
template <class Kind>
inline void transpose_groups(const float* from, int64_t stride, int64_t inner, int64_t count,
                             int64_t width, typename Kind::Element* to) {
  const int64_t groups = filled_groups<Kind>(inner);
  for (int64_t j = 0; j < width; j += lanes) {
    for (int64_t g = 0; g < groups; g += lanes) {
      const int64_t rows = std::min(lanes, count - j), left = std::min(lanes, groups - g);
      IntVector square[lanes] = {};
      for (int64_t r = 0; r < rows; ++r) {
        const float* row = from + (j + r) * stride + g * Kind::group;
        if constexpr (std::is_same_v<Kind, Float32>) {
          square[r] = left == lanes ? load<IntVector>(row) : (IntVector)Some{left}.load(row);
        } else {
          to_bfloat16(row, std::min(lanes * 2, inner - g * 2),
                      reinterpret_cast<uint32_t*>(&square[r]));
        }
      }
      transpose(square);
      for (int64_t k = 0; k < left; ++k) store(to + (g + k) * width + j, square[k]);
    }
  }
}

/// `count` columns of b, [groups, width]; width a multiple of `lanes`.
template <class Kind>
inline void pack_panel(const Matrix& b, int64_t inner, int64_t count, int64_t width,
                       typename Kind::Element* to) {
  if (b.column == 1) {
    if (width == lanes) {
      copy_groups<Kind, lanes>(b.at, b.row, inner, count, to);
    } else {
      copy_groups<Kind, 2 * lanes>(b.at, b.row, inner, count, to);
    }
  } else {
    transpose_groups<Kind>(b.at, b.column, inner, count, width, to);
  }
  std::fill(to + filled_groups<Kind>(inner) * width, to + groups_of<Kind>(inner) * width,
            typename Kind::Element{});
}

}  // namespace
}  // namespace rlhf::kernels
