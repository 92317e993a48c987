/// The kernels themselves. Included by one file per instruction set; the anonymous namespace keeps
/// the copies apart.
#pragma once

#include "attend.hpp"
#include "attention.hpp"
#include "draw.hpp"
#include "kernels.hpp"
#include "packed.hpp"
#include "product.hpp"
#include "vector.hpp"

namespace rlhf::kernels {
namespace {

void rms_norm(const float* x, const float* weight, float epsilon, int64_t rows, int64_t width,
              float* y, float* scale) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    Vector squares = {};
    for_each_vector(width, [&](int64_t d, auto part) {
      const Vector v = part.load(x + d);
      squares += v * v;
    });
    const float s = 1.0F / std::sqrt(sum_of(squares) / static_cast<float>(width) + epsilon);
    if (scale != nullptr) scale[i] = s;
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(y + d, part.load(x + d) * s * part.load(weight + d));
    });
  }
}

void rescale(const float* x, const float* weight, const float* scale, int64_t rows, int64_t width,
             float* y) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(y + d, part.load(x + d) * scale[i] * part.load(weight + d));
    });
  }
}

void rms_norm_backward(const float* x, const float* weight, const float* scale,
                       const float* gradient, int64_t rows, int64_t width, const float* added,
                       float* x_gradient, float* weight_gradient) {
  for (int64_t i = 0; i < rows; ++i) {
    const float s = scale[i];
    Vector products = {};
    for_each_vector(width, [&](int64_t d, auto part) {
      products += part.load(gradient + d) * part.load(weight + d) * part.load(x + d);
    });
    const float along = sum_of(products) * s * s / static_cast<float>(width);
    for_each_vector(width, [&](int64_t d, auto part) {
      const Vector own = part.load(x + d), g = part.load(gradient + d);
      const Vector through = (g * part.load(weight + d) - own * along) * s;
      part.store(x_gradient + d, added != nullptr ? part.load(added + d) + through : through);
      if (weight_gradient != nullptr) {
        part.store(weight_gradient + d, part.load(weight_gradient + d) + g * own * s);
      }
    });
    x += width, gradient += width, x_gradient += width;
    if (added != nullptr) added += width;
  }
}

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
      .rms_norm = rms_norm,
      .rescale = rescale,
      .rms_norm_backward = rms_norm_backward,
      .swiglu = swiglu,
      .swiglu_backward = swiglu_backward,
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
      .product = product,
      .packed_size = packed_size,
      .pack = pack,
      .packed_product = packed_product,
  };
}

}  // namespace
}  // namespace rlhf::kernels
