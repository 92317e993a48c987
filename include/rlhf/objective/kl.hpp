/// How far the policy is from its reference: estimators from samples, the exact divergence, and the
/// controller that steers towards a target.
#pragma once

#include <cstdint>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

/// Of d = log_probs - ref_log_probs, for tokens drawn from the policy:
/// k1 = d (unbiased, may be negative), abs = |d|, k2 = d^2 / 2, k3 = exp(-d) - 1 + d (unbiased, >=
/// 0). Source: J. Schulman, "Approximating KL Divergence", 2020.
enum class KlEstimator : uint8_t { k1, abs, k2, k3 };

/// The estimate of each token, in nats.
///
/// @param log_probs, ref_log_probs  float32 or float64, of one shape
/// @return                          same shape, differentiable in both
/// @throws Error                    if shapes or types differ
Tensor kl(const Tensor& log_probs, const Tensor& ref_log_probs, KlEstimator estimator);

/// Exact KL(first || second) in nats over the whole vocabulary, both at one temperature. A token of
/// probability 0 under the first adds 0; one of probability 0 under the second alone makes it
/// infinite.
///
/// @param logits, ref_logits  float32 or float64 [..., V]
/// @return                    [...], differentiable once in both
/// @throws Error              if shapes or types differ, or on a temperature <= 0
Tensor full_kl(const Tensor& logits, const Tensor& ref_logits, double temperature = 1.0);

/// Steers the KL coefficient so that the KL of a sequence stays near a target:
///
///   coefficient *= 1 + clip(kl / target - 1, -0.2, 0.2) * episodes / horizon
///
/// Source: Ziegler et al. 2019, arXiv 1909.08593, section 2.2.
class AdaptiveKl {
 public:
  /// @param initial  the first coefficient, > 0
  /// @param target   KL in nats, summed over a sequence, > 0
  /// @param horizon  episodes, > 0; larger is slower
  AdaptiveKl(double initial, double target, double horizon);

  double coefficient() const { return coefficient_; }

  /// After a batch of `episodes` sequences whose summed KL is `kl_per_sequence` on average.
  /// @throws Error if the KL is not finite, or so many episodes would turn the coefficient negative
  void update(double kl_per_sequence, int64_t episodes);
  void archive(Archive& archive) { archive.value("coefficient", coefficient_); }

 private:
  double coefficient_, target_, horizon_;
};

}  // namespace rlhf::objective
