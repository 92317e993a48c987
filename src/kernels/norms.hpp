/// RMSNorm and LayerNorm of rows, and their gradients; part of loops.hpp.
#pragma once

#include "kernels.hpp"
#include "vector.hpp"

namespace rlhf::kernels {
namespace {

void rms_norm_again(const float* x, const float* weight, const float* /*bias*/, const float* scale,
                    int64_t rows, int64_t width, float* y) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(y + d, part.load(x + d) * scale[i] * part.load(weight + d));
    });
  }
}

void rms_norm(const float* x, const float* weight, const float* bias, float epsilon, int64_t rows,
              int64_t width, float* y, float* scale) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    Vector squares = {};
    for_each_vector(width, [&](int64_t d, auto part) {
      const Vector v = part.load(x + d);
      squares += v * v;
    });
    const float s = 1.0F / std::sqrt(sum_of(squares) / static_cast<float>(width) + epsilon);
    if (scale != nullptr) scale[i] = s;
    rms_norm_again(x, weight, bias, &s, 1, width, y);
  }
}

void rms_norm_backward(const float* x, const float* weight, const float* scale,
                       const float* gradient, int64_t rows, int64_t width, const float* added,
                       float* x_gradient, float* weight_gradient, float* /*bias_gradient*/) {
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

RLHF_INLINE float mean_of(const float* x, int64_t width) {
  Vector sum = {};
  for_each_vector(width, [&](int64_t d, auto part) { sum += part.load(x + d); });
  return sum_of(sum) / static_cast<float>(width);
}

void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, int64_t rows,
                int64_t width, float* y, float* scale) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    const float mean = mean_of(x, width);
    Vector squares = {};
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(y + d, part.load(x + d) - mean);
      const Vector v = part.load(y + d);  // zeros behind the end
      squares += v * v;
    });
    const float s = 1.0F / std::sqrt(sum_of(squares) / static_cast<float>(width) + epsilon);
    if (scale != nullptr) scale[i] = s;
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(y + d, part.load(y + d) * s * part.load(weight + d) + part.load(bias + d));
    });
  }
}

void layer_norm_again(const float* x, const float* weight, const float* bias, const float* scale,
                      int64_t rows, int64_t width, float* y) {
  for (int64_t i = 0; i < rows; ++i, x += width, y += width) {
    const float mean = mean_of(x, width);
    for_each_vector(width, [&](int64_t d, auto part) {
      part.store(y + d, (part.load(x + d) - mean) * scale[i] * part.load(weight + d) +
                            part.load(bias + d));
    });
  }
}

// With z = (x - mean) s and g = gradient * weight:  dx = s (g - mean(g) - z mean(g z))
void layer_norm_backward(const float* x, const float* weight, const float* scale,
                         const float* gradient, int64_t rows, int64_t width, const float* added,
                         float* x_gradient, float* weight_gradient, float* bias_gradient) {
  for (int64_t i = 0; i < rows; ++i) {
    const float s = scale[i], mean = mean_of(x, width);
    Vector sum = {}, products = {};
    for_each_vector(width, [&](int64_t d, auto part) {
      const Vector g = part.load(gradient + d) * part.load(weight + d);  // zeros behind the end
      sum += g;
      products += g * (part.load(x + d) - mean);
    });
    const float level = sum_of(sum) / static_cast<float>(width);
    const float along = sum_of(products) * s * s / static_cast<float>(width);
    for_each_vector(width, [&](int64_t d, auto part) {
      const Vector own = part.load(x + d) - mean, g = part.load(gradient + d);
      const Vector through = (g * part.load(weight + d) - level - own * along) * s;
      part.store(x_gradient + d, added != nullptr ? part.load(added + d) + through : through);
      if (weight_gradient != nullptr) {
        part.store(weight_gradient + d, part.load(weight_gradient + d) + g * own * s);
      }
      if (bias_gradient != nullptr) {
        part.store(bias_gradient + d, part.load(bias_gradient + d) + g);
      }
    });
    x += width, gradient += width, x_gradient += width;
    if (added != nullptr) added += width;
  }
}

}  // namespace
}  // namespace rlhf::kernels
