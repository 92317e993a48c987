/// Vectors of floats as wide as the instruction set that the including file is compiled for.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#ifdef __AVX2__
#include <immintrin.h>
#endif

/// Without it the compiler stops inlining where a file grows large.
#define RLHF_INLINE [[gnu::always_inline]] inline

namespace rlhf::kernels {
namespace {

#if defined(__AVX512F__)
constexpr int64_t lanes = 16;
#elif defined(__AVX2__)
constexpr int64_t lanes = 8;
#else
constexpr int64_t lanes = 4;
#endif
template <class Element, int64_t count>
using VectorOf [[gnu::vector_size(count * sizeof(Element))]] = Element;
using Vector = VectorOf<float, lanes>;
using IntVector = VectorOf<int32_t, lanes>;

template <class V = Vector>
RLHF_INLINE V load(const void* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
template <class V>
RLHF_INLINE void store(void* to, V v) {
  std::memcpy(to, &v, sizeof v);
}
RLHF_INLINE Vector all_lanes(float x) {
  return Vector{} + x;
}

/// A whole vector of memory.
struct Whole {
  static Vector load(const float* from) { return kernels::load(from); }
  static void store(float* to, Vector v) { kernels::store(to, v); }
};
/// The first lanes of one; the others are zeros when loaded, and are not stored.
struct Some {
  int64_t count;
#ifdef __AVX512F__
  __mmask16 mask() const {
    return static_cast<__mmask16>((1U << count) - 1U);
  }
  Vector load(const float* from) const {
    return (Vector)_mm512_maskz_loadu_ps(mask(), from);
  }
  void store(float* to, Vector v) const {
    _mm512_mask_storeu_ps(to, mask(), (__m512)v);
  }
#elif defined(__AVX2__)
  __m256i mask() const {
    static constexpr int32_t ones_then_zeros[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return kernels::load<__m256i>(ones_then_zeros + lanes - count);
  }
  Vector load(const float* from) const {
    return (Vector)_mm256_maskload_ps(from, mask());
  }
  void store(float* to, Vector v) const {
    _mm256_maskstore_ps(to, mask(), (__m256)v);
  }
#else
  Vector load(const float* from) const {
    Vector v = {};
    for (int64_t i = 0; i < count; ++i) v[i] = from[i];
    return v;
  }
  void store(float* to, Vector v) const {
    for (int64_t i = 0; i < count; ++i) to[i] = v[i];
  }
#endif
};

/// Calls body(first, part) for all of `count` floats, a vector at a time.
template <class Body>
RLHF_INLINE void for_each_vector(int64_t count, Body&& body) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(i, Whole{});
  if (i < count) body(i, Some{count - i});
}

constexpr int64_t padded(int64_t count) {
  return (count + lanes - 1) / lanes * lanes;
}

/// All lanes as one, by halves.
template <class V, class Combine>
RLHF_INLINE float reduce(V v, Combine&& combine) {
  constexpr auto count = static_cast<int64_t>(sizeof(V) / sizeof(float));
  if constexpr (count == 1) {
    return v[0];
  } else {
    VectorOf<float, count / 2> halves[2];
    std::memcpy(halves, &v, sizeof v);
    return reduce(combine(halves[0], halves[1]), combine);
  }
}
RLHF_INLINE float sum_of(Vector v) {
  return reduce(v, [](auto a, auto b) { return a + b; });
}
RLHF_INLINE float greatest_of(Vector v) {
  return reduce(v, [](auto a, auto b) { return a > b ? a : b; });
}

/// e^x to 2 units in the last place; 0 below -87.3, 2.4e38 above 88.37, NaN stays NaN.
RLHF_INLINE Vector exponential(Vector x) {
  constexpr float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const Vector low = all_lanes(-87.3F), high = all_lanes(88.37F);
  Vector clamped = x < low ? low : x;
  clamped = clamped > high ? high : clamped;
  const Vector shifted = clamped * 1.44269504F + shift;
  const Vector n = shifted - shift;
  const Vector r = (clamped - n * 0.693145752F) - n * 1.42860677e-6F;
  Vector p = all_lanes(1.38805590e-3F);
  p = p * r + 8.37340485e-3F;
  p = p * r + 4.16695364e-2F;
  p = p * r + 1.66665002e-1F;
  p = p * r + 4.99999891e-1F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto scale = (Vector)((__builtin_convertvector(n, IntVector) + 127) << 23);
  return x < low ? Vector{} : p * scale;
}

/// Of a whole number of vectors.
RLHF_INLINE float greatest_of(const float* row, int64_t count) {
  Vector greatest = load(row);
  for (int64_t j = lanes; j < count; j += lanes) {
    const Vector v = load(row + j);
    greatest = v > greatest ? v : greatest;
  }
  return greatest_of(greatest);
}

/// Turns a whole number of vectors into exp((x - greatest) * sharpness), in place: the softmax but
/// for its division by the sum, which is returned.
RLHF_INLINE float exponentiate(float* row, int64_t count, float greatest, float sharpness) {
  Vector sum = {};
  for (int64_t j = 0; j < count; j += lanes) {
    const Vector e = exponential((load(row + j) - greatest) * sharpness);
    store(row + j, e);
    sum += e;
  }
  return sum_of(sum);
}

/// -infinity, whose exponential is 0, from `count` to the end of its vector.
RLHF_INLINE void hide_from(float* row, int64_t count) {
  if (count % lanes == 0) return;
  constexpr auto index = []<size_t... I>(std::index_sequence<I...>) {
    return IntVector{static_cast<int32_t>(I)...};
  }
  (std::make_index_sequence<static_cast<size_t>(lanes)>{});
  float* last = row + count / lanes * lanes;
  const auto visible = static_cast<int32_t>(count % lanes);
  store(last, index < visible ? load(last) : all_lanes(-std::numeric_limits<float>::infinity()));
}

}  // namespace
}  // namespace rlhf::kernels
