/// AdamW's step and the norm of gradients, on flat arrays.
#pragma once

#include "kernels.hpp"
#include "vector.hpp"

namespace rlhf::kernels {
namespace {

void adamw(const AdamWStep& step, int64_t count, const float* gradient, float* parameter,
           float* first, float* second) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * step.gradient_scale;
    const float m = first[i] + (1.0F - step.beta1) * (g - first[i]);
    const float v = step.beta2 * second[i] + (1.0F - step.beta2) * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = parameter[i] * step.decay -
                   step.size * m / (std::sqrt(v) * step.second_scale + step.epsilon);
  }
}

double sum_of_squares(const float* x, int64_t count) {
  constexpr int64_t chains = 4, stretch = 4096;  // numbers whose squares one sum of float32 takes
  double sum = 0;
  for (int64_t begin = 0; begin < count; begin += stretch) {
    const int64_t end = std::min(count, begin + stretch);
    Vector sums[chains] = {};
    int64_t i = begin;
    for (; i + chains * lanes <= end; i += chains * lanes) {
      for (int64_t chain = 0; chain < chains; ++chain) {
        const Vector v = load(x + i + chain * lanes);
        sums[chain] += v * v;
      }
    }
    for_each_vector(end - i, [&](int64_t j, auto part) {
      const Vector v = part.load(x + i + j);
      sums[0] += v * v;
    });
    sum += static_cast<double>(sum_of((sums[0] + sums[1]) + (sums[2] + sums[3])));
  }
  return sum;
}

}  // namespace
}  // namespace rlhf::kernels
