/// AdamW with gradient clipping, all parameters in one go: on the kernels where they are float32 on
/// the CPU, else on LibTorch's fused one.
#pragma once

#include <vector>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf {

struct AdamWOptions {
  double learning_rate = 1e-5;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-5;           ///< added to the root of the second moment
  double weight_decay = 0.0;       ///< of matrices (2 dimensions or more) only
  double max_gradient_norm = 1.0;  ///< L2, over all parameters together; 0: no clipping
  /// @throws Error naming the field that cannot work
  void validate() const;
  void archive(Archive& archive) const;
};

/// Trains a list of named parameters; holds their moments.
///
/// A parameter without a gradient (frozen, or unused since the last step) is skipped: not moved,
/// not decayed, its step count stands. One tensor under two names (tied embeddings) is one
/// parameter, under its first name. Moments are made at a parameter's first gradient, so frozen
/// ones cost nothing.
///
/// Source: Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2; clipping as in Pascanu et al.
/// 2013: gradients times min(1, max_gradient_norm / (norm + 1e-6)).
class AdamW {
 public:
  /// @throws Error if there is no parameter, or one is not a floating leaf tensor, or a name stands
  /// for
  ///               two tensors, or the parameters live on more than one device
  AdamW(std::vector<NamedTensor> parameters, AdamWOptions options);

  AdamW(AdamW&&) = default;
  AdamW& operator=(AdamW&&) = default;
  AdamW(const AdamW&) = delete;  // a copy would share parameters and moments
  AdamW& operator=(const AdamW&) = delete;

  /// Clips, moves the parameters, clears the gradients.
  ///
  /// @param learning_rate_factor  what Schedule::factor gives, >= 0
  /// @return                      norm of all gradients before clipping
  /// @throws NonFinite  naming the first parameter whose gradient is not finite
  /// @throws Error      if none has a gradient
  ///                    In both cases parameters, moments and gradients are as they were.
  double step(double learning_rate_factor = 1.0);

  /// Norm of all gradients; changes nothing. @throws as step()
  double gradient_norm() const;

  /// Forgets all gradients.
  void zero_grad();

  /// Each tensor once.
  const std::vector<NamedTensor>& parameters() const { return parameters_; }
  const AdamWOptions& options() const { return options_; }

  /// Copies of all moments and step counts, under "<parameter>.first_moment", ".second_moment" and
  /// ".step" (float32 []); nothing for a parameter that never had a gradient. With the parameters,
  /// all that the next step depends on.
  std::vector<NamedTensor> state() const;

  /// Replaces the state by what state() gave; a parameter not in it starts afresh.
  /// @throws Error naming the entry that is unknown, missing or of another shape or type; nothing
  /// has
  ///               changed then
  void load_state(const std::vector<NamedTensor>& state);

  /// Options and state.
  void archive(Archive& archive);

 private:
  struct Moments {
    Tensor first, second;  // undefined before the first gradient
    int64_t steps = 0;
  };
  struct Gradients;

  std::vector<NamedTensor> borrowed_state() const;
  std::vector<Moments> moments_from(const std::vector<NamedTensor>& state) const;
  Gradients gradients() const;
  double norm(const Gradients& gradients) const;
  void update(const Gradients& gradients, double norm, double learning_rate);

  std::vector<NamedTensor> parameters_;
  std::vector<Moments> moments_;  // one a parameter
  AdamWOptions options_;
};

}  // namespace rlhf
