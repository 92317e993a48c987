/// A token drawn from its row of logits, in one pass over them and a look at part of the result.
#pragma once

#include "kernels.hpp"
#include "vector.hpp"

namespace rlhf::kernels {
namespace {

RLHF_INLINE float greatest_of_any(const float* row, int64_t count) {
  if (count < lanes) return *std::max_element(row, row + count);
  // The last vector may overlap the one before.
  const float most = greatest_of(row, count / lanes * lanes);
  return std::max(most, greatest_of(load(row + count - lanes)));
}

constexpr int64_t draw_block = 8 * lanes;

/// A block of exp((logit - greatest) * sharpness); returns its sum.
RLHF_INLINE float exponentials_of(const float* logits, int64_t count, float sharpness,
                                  float greatest, float* exponentials) {
  Vector sum = {};
  for_each_vector(count, [&](int64_t j, auto part) {
    part.store(exponentials + j, exponential((part.load(logits + j) - greatest) * sharpness));
    sum += part.load(exponentials + j);  // zeros behind the end
  });
  return sum_of(sum);
}

float exponentials(const float* logits, int64_t width, float sharpness, float* to) {
  return exponentials_of(logits, width, sharpness, greatest_of_any(logits, width), to);
}

/// The token at which the running sum of probabilities passes `uniform` of their total.
Drawn draw(const float* logits, int64_t width, float sharpness, double uniform, float* scratch) {
  const float greatest = greatest_of_any(logits, width);
  float* sums = scratch + width;  // a block each
  double total = 0;
  for (int64_t j = 0; j < width; j += draw_block) {
    const float sum = exponentials_of(logits + j, std::min(draw_block, width - j), sharpness,
                                      greatest, scratch + j);
    sums[j / draw_block] = sum;
    total += static_cast<double>(sum);
  }
  const double target = uniform * total;
  double before = 0;
  int64_t begin = 0;
  while (begin + draw_block < width &&
         before + static_cast<double>(sums[begin / draw_block]) <= target) {
    before += static_cast<double>(sums[begin / draw_block]);
    begin += draw_block;
  }
  // Where rounding lets the sum end below the target, the last token that is possible at all.
  int64_t token = 0;
  for (int64_t j = begin; j < width; ++j) {
    if (scratch[j] == 0) continue;
    token = j;
    before += static_cast<double>(scratch[j]);
    if (before > target) break;
  }
  if (scratch[token] == 0) {
    for (token = width - 1; token > 0 && scratch[token] == 0;) --token;
  }
  return {.token = token,
          .log_prob = (logits[token] - greatest) * sharpness - static_cast<float>(std::log(total))};
}

/// The first of the most likely tokens.
Drawn most_likely(const float* logits, int64_t width, float* scratch) {
  const float greatest = greatest_of_any(logits, width);
  const float sum = exponentials_of(logits, width, 1.0F, greatest, scratch);
  int64_t token = 0;
  while (token + 1 < width && logits[token] != greatest) ++token;
  return {.token = token, .log_prob = -std::log(sum)};
}

}  // namespace
}  // namespace rlhf::kernels
