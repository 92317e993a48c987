/// From scores to advantages: the reward of each token, generalised advantage estimation,
/// whitening.
///
/// All matrices are [B, T], right-padded; `mask` is bool [B, T] with a true in every row, and may
/// have holes. Masked values may be anything, NaN included, and never reach a result or a gradient.
#pragma once

#include <cstdint>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

struct GaeOptions {
  double gamma = 1.0;    ///< discount a counted token, in [0, 1]
  double lambda = 0.95;  ///< 0: one-step, 1: Monte Carlo
  void validate() const;
  void archive(Archive& archive) const;
};

struct Advantages {
  Tensor advantages;  ///< [B, T], 0 where masked
  Tensor returns;     ///< [B, T], advantages + values, 0 where masked
};

/// Generalised advantage estimation; constants, no gradient passes.
///
///   delta_t = r_t + gamma V_next - V_t        V past the last counted token = 0
///   A_t     = delta_t + gamma lambda A_next   R_t = A_t + V_t
///
/// "next" is the next counted token: holes are stepped over and cost no discount.
///
/// @param rewards, values  float32 or float64 [B, T]
/// @throws Error           on shapes or types that differ, a row without a true, options out of
/// range Source: Schulman et al. 2016, arXiv 1506.02438, eq. 16.
Advantages gae(const Tensor& rewards, const Tensor& values, const Tensor& mask,
               const GaeOptions& options = {});

/// -coefficient * kl at every counted token, plus the score at the last one of its row.
///
/// @param scores  [B], of kl's type
/// @param kl      float32 or float64 [B, T]
/// @return        [B, T], 0 where masked; differentiable in scores and kl
/// @throws Error  on another shape or type, a row without a true, a coefficient that is not finite
/// Source: Ziegler et al. 2019, arXiv 1909.08593, eq. 2.
Tensor kl_shaped_rewards(const Tensor& scores, const Tensor& kl, const Tensor& mask,
                         double coefficient);

enum class WhitenMean : uint8_t { remove, keep };

/// Scales the counted values to variance 1, and moves their mean to 0 or keeps it:
///
///   (x - mean) * rsqrt(variance + 1e-8) [+ mean]     biased variance
///
/// @param x       float32 or float64 [B, T]
/// @return        [B, T], 0 where masked; differentiable, through mean and variance too
/// @throws Error  on shapes that differ, or a row without a true
Tensor whiten(const Tensor& x, const Tensor& mask, WhitenMean mean = WhitenMean::remove);

}  // namespace rlhf::objective
