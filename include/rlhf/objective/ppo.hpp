/// The two losses of PPO.
///
/// All matrices are [B, T], float32 or float64, right-padded; `mask` is bool [B, T] with a true in
/// every row, and may have holes. Masked values may be anything, NaN included, and never reach a
/// result or a gradient. `denominator` is what loss and metrics are divided by, by default the
/// number of counted tokens; given the whole batch's number, those of its microbatches add up to
/// the batch's.
///
/// Old log-probabilities, old values, advantages and returns are constants of training: give them
/// detached. (As pure functions, these pass a gradient to whatever asks for one.)
#pragma once

#include <optional>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

struct PpoClip {
  double low = 0.2;   ///< the ratio is clipped below 1 - low; in (0, 1]
  double high = 0.2;  ///< ... and above 1 + high; > 0, infinity: no clip
  double dual =
      0.0;  ///< > 1: where the advantage is negative, the ratio is clipped at this too; 0: off
  void validate() const;
  void archive(Archive& archive) const;
};

/// Scalars; the loss carries the gradient, the others are metrics without one.
struct PolicyLoss {
  Tensor loss;
  Tensor clip_fraction;  ///< share of tokens whose clipped loss is the larger (the dual clip not
                         ///< counted)
  Tensor approx_kl;      ///< mean of (log_probs - old_log_probs)^2 / 2, in nats
  Tensor ratio_mean;     ///< mean of exp(log_probs - old_log_probs)
};

/// Clipped surrogate, the mean over counted tokens of
///
///   max(-A ratio, -A clip(ratio, 1 - low, 1 + high))      ratio = exp(log_probs - old_log_probs)
///
/// and, with a dual clip, no more than -A dual where A < 0. A ratio that overflows is clipped like
/// any other: neither loss nor gradient is NaN.
///
/// @throws Error  on shapes or types that differ, a row without a true, options out of range
/// Source: Schulman et al. 2017, arXiv 1707.06347, eq. 7; dual clip: Ye et al. 2020, arXiv
/// 1912.09729.
PolicyLoss ppo_policy_loss(const Tensor& log_probs, const Tensor& old_log_probs,
                           const Tensor& advantages, const Tensor& mask, const PpoClip& clip = {},
                           std::optional<double> denominator = {});

/// Scalars; the loss carries the gradient.
struct ValueLoss {
  Tensor loss;
  Tensor clip_fraction;  ///< share of tokens whose clipped loss is the larger
};

/// Clipped squared error, the mean over counted tokens of
///
///   1/2 max((V - R)^2, (clip(V, V_old - clip, V_old + clip) - R)^2)
///
/// @param clip    > 0, infinity: no clip
/// @throws Error  on shapes or types that differ, a row without a true, a clip out of range
/// Source: the OpenAI implementation of PPO; used for language models by Ziegler et al. 2019.
ValueLoss ppo_value_loss(const Tensor& values, const Tensor& old_values, const Tensor& returns,
                         const Tensor& mask, double clip = 0.2,
                         std::optional<double> denominator = {});

}  // namespace rlhf::objective
