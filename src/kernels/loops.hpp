/// The kernels themselves. Included by one file per instruction set; the anonymous namespace keeps
/// the copies apart.
#pragma once

#include "adamw.hpp"
#include "attend.hpp"
#include "attention.hpp"
#include "draw.hpp"
#include "kernels.hpp"
#include "norms.hpp"
#include "outer.hpp"
#include "packed.hpp"
#include "product.hpp"
#include "vector.hpp"

namespace rlhf::kernels {
namespace {

RLHF_INLINE Vector logistic(Vector x) {
  return 1.0F / (1.0F + exponential(-x));
}

void swiglu(const float* gate_up, int64_t rows, int64_t width, float* y) {
  for (int64_t i = 0; i < rows; ++i, gate_up += 2 * width, y += width) {
    for_each_vector(width, [&](int64_t d, auto part) {
      const Vector gate = part.load(gate_up + d);
      part.store(y + d, gate * logistic(gate) * part.load(gate_up + width + d));
    });
  }
}

// silu(g) = g s(g), silu'(g) = s(g) (1 + g (1 - s(g))), s the logistic function
void swiglu_backward(const float* gate_up, int64_t rows, int64_t width, float* y,
                     float* gate_up_gradient) {
  for (int64_t i = 0; i < rows; ++i, y += width) {
    for_each_vector(width, [&](int64_t d, auto part) {
      const Vector g = part.load(gate_up + d), u = part.load(gate_up + width + d);
      const Vector gradient = part.load(y + d), s = logistic(g), silu = g * s;
      part.store(y + d, silu * u);
      part.store(gate_up_gradient + width + d, gradient * silu);
      part.store(gate_up_gradient + d, gradient * u * (s + silu * (1.0F - s)));
    });
    gate_up += 2 * width, gate_up_gradient += 2 * width;
  }
}

// gelu(x) = x s(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3), since (1 + tanh(u)) / 2 = s(2 u)
// (Hendrycks and Gimpel 2016, arXiv 1606.08415)
constexpr float gelu_slope = 1.59576912F, gelu_cubic = 0.0713548163F;

void gelu(const float* x, int64_t rows, int64_t width, float* y) {
  for_each_vector(rows * width, [&](int64_t d, auto part) {
    const Vector v = part.load(x + d);
    part.store(y + d, v * logistic(v * (gelu_slope + gelu_cubic * v * v)));
  });
}

void gelu_backward(const float* x, int64_t rows, int64_t width, float* y, float* x_gradient) {
  for_each_vector(rows * width, [&](int64_t d, auto part) {
    const Vector v = part.load(x + d), gradient = part.load(y + d);
    const Vector s = logistic(v * (gelu_slope + gelu_cubic * v * v));
    part.store(y + d, v * s);
    part.store(x_gradient + d,
               gradient * s * (1.0F + v * (1.0F - s) * (gelu_slope + 3.0F * gelu_cubic * v * v)));
  });
}

void add_rows(const float* from, int64_t rows, int64_t width, float* to) {
  for (int64_t i = 0; i < rows; ++i, from += width) {
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(to + d, part.load(to + d) + part.load(from + d));
    });
  }
}

void add_to_rows(const float* from, int64_t rows, int64_t width, float* to) {
  for (int64_t i = 0; i < rows; ++i, to += width) {
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(to + d, part.load(to + d) + part.load(from + d));
    });
  }
}

/// A head's pairs, as many lanes at a time as `V` has.
template <class V>
RLHF_INLINE void rotate_head(float* first, int64_t half, const float* c, const float* s,
                             float sign) {
  float* second = first + half;
  for (int64_t d = 0; d < half; d += static_cast<int64_t>(sizeof(V) / sizeof(float))) {
    const V a = load<V>(first + d), b = load<V>(second + d);
    const V cosine = load<V>(c + d), sine = load<V>(s + d) * sign;
    store(first + d, a * cosine - b * sine);
    store(second + d, b * cosine + a * sine);
  }
}

void rotate(float* x, int64_t rows, int64_t row_stride, int64_t heads, int64_t head_size,
            const int64_t* positions, const float* cosines, const float* sines, float sign) {
  const int64_t half = head_size / 2;
  for (int64_t i = 0; i < rows; ++i) {
    const float* c = cosines + positions[i] * half;
    const float* s = sines + positions[i] * half;
    for (int64_t head = 0; head < heads; ++head) {
      float* first = x + i * row_stride + head * head_size;
      if (half % lanes == 0) {
        rotate_head<Vector>(first, half, c, s, sign);
      } else if (half % (lanes / 2) == 0) {
        rotate_head<VectorOf<float, lanes / 2>>(first, half, c, s, sign);
      } else if (half % (lanes / 4) == 0) {
        rotate_head<VectorOf<float, lanes / 4>>(first, half, c, s, sign);
      } else {
        rotate_head<VectorOf<float, 1>>(first, half, c, s, sign);
      }
    }
  }
}

void softmax(float* logits, int64_t rows, int64_t width, float sharpness, const int64_t* targets,
             float* log_probs, float* sums, float* entropy) {
  for (int64_t i = 0; i < rows; ++i, logits += width) {
    const float greatest = greatest_of_any(logits, width);
    const float target = (logits[targets[i]] - greatest) * sharpness;
    Vector sum = {}, weighted = {};
    const Vector least = all_lanes(-100.0F);  // 0 times -infinity is no number
    for_each_vector(width, [&](int64_t j, auto part) {
      const Vector z = (part.load(logits + j) - greatest) * sharpness;
      part.store(logits + j, exponential(z));
      const Vector e = part.load(logits + j);  // zeros behind the end
      sum += e;
      if (entropy != nullptr) weighted += e * (z > least ? z : least);
    });
    sums[i] = sum_of(sum);
    const float log_sum = std::log(sums[i]);
    log_probs[i] = target - log_sum;
    if (entropy != nullptr) entropy[i] = log_sum - sum_of(weighted) / sums[i];
  }
}

void softmax_backward(const float* exponentials, const float* sums, const float* gradient,
                      int64_t rows, int64_t width, float sharpness, const int64_t* targets,
                      float* logits_gradient) {
  for (int64_t i = 0; i < rows; ++i, exponentials += width, logits_gradient += width) {
    const float g = gradient[i] * sharpness, factor = -g / sums[i];
    for_each_vector(width, [&](int64_t j, auto part) {
      part.store(logits_gradient + j, factor * part.load(exponentials + j));
    });
    logits_gradient[targets[i]] += g;
  }
}

constexpr Kernels table(const char* name) {
  return {
      .name = name,
#ifdef __AVX512BF16__
      .fast_bfloat16 = true,
#else
      .fast_bfloat16 = false,
#endif
      .rms_norm = {rms_norm, rms_norm_again, rms_norm_backward},
      .layer_norm = {layer_norm, layer_norm_again, layer_norm_backward},
      .swiglu = {swiglu, swiglu_backward},
      .gelu = {gelu, gelu_backward},
      .add_rows = add_rows,
      .add_to_rows = add_to_rows,
      .rotate = rotate,
      .attention_scratch = attention_scratch,
      .attention = attention,
      .attention_backward = attention_backward,
      .attend = attend,
      .softmax = softmax,
      .softmax_backward = softmax_backward,
      .exponentials = exponentials,
      .draw = draw,
      .most_likely = most_likely,
      .adamw = adamw,
      .sum_of_squares = sum_of_squares,
      .product = product,
      .outer_size = outer_size,
      .outer_pack = outer_pack,
      .outer_tile = outer_tile,
      .outer_product = outer_product,
      .packed_size = packed_size,
      .pack = pack,
      .packed_product = packed_product,
  };
}

}  // namespace
}  // namespace rlhf::kernels
