/// The kernels themselves. Included by one file per instruction set; the anonymous namespace keeps
/// the copies apart.
#pragma once

#include "attention.hpp"
#include "kernels.hpp"
#include "vector.hpp"

namespace rlhf::kernels {
namespace {

void rms_norm(const float* x, const float* weight, float epsilon, int64_t rows, int64_t width,
              float* y, float* scale) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t d = 0; d < width; ++d) squares += x[d] * x[d];
    const float s = 1.0F / std::sqrt(squares / static_cast<float>(width) + epsilon);
    if (scale != nullptr) scale[i] = s;
#pragma omp simd
    for (int64_t d = 0; d < width; ++d) y[d] = x[d] * s * weight[d];
  }
}

void rescale(const float* x, const float* weight, const float* scale, int64_t rows, int64_t width,
             float* y) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    const float s = scale[i];
#pragma omp simd
    for (int64_t d = 0; d < width; ++d) y[d] = x[d] * s * weight[d];
  }
}

void rms_norm_backward(const float* x, const float* weight, const float* scale,
                       const float* gradient, int64_t rows, int64_t width, float* x_gradient,
                       float* weight_gradient) {
  for (int64_t i = 0; i < rows; ++i, x += width, gradient += width, x_gradient += width) {
    const float s = scale[i];
    float along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t d = 0; d < width; ++d) along += gradient[d] * weight[d] * x[d];
    along *= s * s / static_cast<float>(width);
#pragma omp simd
    for (int64_t d = 0; d < width; ++d) {
      x_gradient[d] += (gradient[d] * weight[d] - x[d] * along) * s;
    }
    if (weight_gradient == nullptr) continue;
#pragma omp simd
    for (int64_t d = 0; d < width; ++d) weight_gradient[d] += gradient[d] * x[d] * s;
  }
}

void swiglu(const float* gate_up, int64_t rows, int64_t width, float* y) {
  for (int64_t i = 0; i < rows; ++i, y += width) {
    const float* gate = gate_up + 2 * i * width;
    const float* up = gate + width;
#pragma omp simd
    for (int64_t d = 0; d < width; ++d) {
      y[d] = gate[d] / (1.0F + exponential(-gate[d])) * up[d];
    }
  }
}

// silu(g) = g s(g), silu'(g) = s(g) (1 + g (1 - s(g))), s the logistic function
void swiglu_backward(const float* gate_up, int64_t rows, int64_t width, float* y,
                     float* gate_up_gradient) {
  for (int64_t i = 0; i < rows; ++i, y += width) {
    const float* gate = gate_up + 2 * i * width;
    const float* up = gate + width;
    float* gate_gradient = gate_up_gradient + 2 * i * width;
    float* up_gradient = gate_gradient + width;
#pragma omp simd
    for (int64_t d = 0; d < width; ++d) {
      const float g = gate[d], u = up[d], gradient = y[d];
      const float s = 1.0F / (1.0F + exponential(-g));
      const float silu = g * s;
      y[d] = silu * u;
      up_gradient[d] = gradient * silu;
      gate_gradient[d] = gradient * u * (s + silu * (1.0F - s));
    }
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
      float* second = first + half;
#pragma omp simd
      for (int64_t d = 0; d < half; ++d) {
        const float a = first[d], b = second[d];
        first[d] = a * c[d] - b * s[d] * sign;
        second[d] = b * c[d] + a * s[d] * sign;
      }
    }
  }
}

void softmax(float* logits, int64_t rows, int64_t width, float sharpness, const int64_t* targets,
             float* log_probs, float* sums, float* entropy) {
  for (int64_t i = 0; i < rows; ++i, logits += width) {
    const float greatest = greatest_of(logits, width);
    const float target = (logits[targets[i]] - greatest) * sharpness;
    float sum = 0;
    if (entropy == nullptr) {
      sum = exponentiate(logits, width, greatest, sharpness);
    } else {
      float weighted = 0;
#pragma omp simd reduction(+ : sum, weighted)
      for (int64_t j = 0; j < width; ++j) {
        const float z = (logits[j] - greatest) * sharpness;
        logits[j] = exponential(z);
        sum += logits[j];
        weighted += logits[j] * std::max(z, -100.0F);  // 0 times -infinity is no number
      }
      entropy[i] = std::log(sum) - weighted / sum;
    }
    sums[i] = sum;
    log_probs[i] = target - std::log(sum);
  }
}

void softmax_backward(const float* exponentials, const float* sums, const float* gradient,
                      int64_t rows, int64_t width, float sharpness, const int64_t* targets,
                      float* logits_gradient) {
  for (int64_t i = 0; i < rows; ++i, exponentials += width, logits_gradient += width) {
    const float g = gradient[i] * sharpness, factor = -g / sums[i];
#pragma omp simd
    for (int64_t j = 0; j < width; ++j) logits_gradient[j] = factor * exponentials[j];
    logits_gradient[targets[i]] += g;
  }
}

// Packed: panels of two vectors of outputs, each [inputs, 2 lanes], the last one padded with zeros.
constexpr int64_t panel = 2 * lanes;

int64_t packed_size(int64_t outputs, int64_t inputs) {
  return (outputs + panel - 1) / panel * panel * inputs;
}

void pack(const float* matrix, int64_t outputs, int64_t inputs, float* packed) {
  for (int64_t begin = 0; begin < outputs; begin += panel) {
    for (int64_t k = 0; k < inputs; ++k) {
      for (int64_t j = begin; j < begin + panel; ++j) {
        *packed++ = j < outputs ? matrix[j * inputs + k] : 0.0F;
      }
    }
  }
}

void product(const float* x, int64_t x_stride, int64_t rows, const float* packed, int64_t outputs,
             int64_t inputs, float* y, int64_t y_stride, bool add) {
  int64_t begin = 0;
  for (; begin + panel <= outputs; begin += panel, packed += panel * inputs) {
    tile_column<2>(rows, inputs, x, x_stride, 1, packed, panel, y + begin, y_stride, add);
  }
  if (begin == outputs) return;
  constexpr int64_t block = tile_rows<2>;
  float last[block * panel];
  for (int64_t i = 0; i < rows; i += block) {
    const int64_t count = std::min(block, rows - i);
    tile_column<2>(count, inputs, x + i * x_stride, x_stride, 1, packed, panel, last, panel, false);
    for (int64_t r = 0; r < count; ++r) {
      float* to = y + (i + r) * y_stride;
      for (int64_t j = begin; j < outputs; ++j) {
        to[j] = last[r * panel + j - begin] + (add ? to[j] : 0.0F);
      }
    }
  }
}

constexpr Kernels table(const char* name) {
  return {
      .name = name,
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
      .packed_size = packed_size,
      .pack = pack,
      .product = product,
  };
}

}  // namespace
}  // namespace rlhf::kernels
