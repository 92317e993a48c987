/// A transformer with one number a token: what reward and value models are made of.
#pragma once

#include "rlhf/core/concepts.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/model/transformer.hpp"

namespace rlhf {

/// A trunk and a linear head of one output. Not a Reward or Critic itself: RewardModel and
/// ValueModel say at which tokens it is read.
class ScalarModel {
 public:
  /// On a copy of a trunk; head weights N(0, std^2), bias 0. std 0: the head starts at zero
  /// (Ziegler et al. 2019, value head); 1/sqrt(dim + 1): Huang et al. 2024, reward head.
  ScalarModel(const Transformer& trunk, double std, Generator& generator);
  /// On this trunk itself, such as a view with adapters.
  ScalarModel(Transformer&& trunk, double std, Generator& generator);
  ScalarModel(ScalarModel&&) = default;
  ScalarModel& operator=(ScalarModel&&) = default;
  ScalarModel clone() const;
  /// The same trunk in the same memory, where adapters learn, and a copy of the head, which does
  /// too.
  ScalarModel with_adapters(const LoraOptions& options, Generator& generator) const;
  /// A copy of its own, adapters added to its weights. @throws Error where there are none
  ScalarModel merged() const;

  /// [P], at tokens `positions` (int64 [P], increasing indices into completions.tokens).
  /// Differentiable.
  Tensor at(const Completions& completions, const Tensor& positions) const;
  std::vector<NamedTensor> named_parameters() const;
  const Transformer& trunk() const { return trunk_; }
  Transformer& trunk() { return trunk_; }
  /// Adds to the bias, without gradient.
  void shift(double amount);
  void compute_in(Precision precision) { trunk_.compute_in(precision); }
  void checkpoint_layers(bool on) { trunk_.checkpoint_layers(on); }
  void to(at::ScalarType dtype);
  void to(at::Device device);

 private:
  ScalarModel(Transformer trunk, Tensor weight, Tensor bias)
      : trunk_(std::move(trunk)), weight_(std::move(weight)), bias_(std::move(bias)) {}

  Transformer trunk_;
  Tensor weight_;  // [1, dim]
  Tensor bias_;    // [1]
};

/// Estimates the return before each response token. Models Critic.
class ValueModel {
 public:
  explicit ValueModel(ScalarModel model) : model_(std::move(model)) {}
  /// A new head of zeros on a copy of the language model's trunk (Ziegler et al. 2019).
  ValueModel(const CausalLM& language_model, Generator& generator)
      : model_(language_model.trunk(), 0.0, generator) {}

  /// `values` [B, T]: of the state before each response token. log_probs stay undefined.
  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& = {}) const;
  std::vector<NamedTensor> named_parameters() const { return model_.named_parameters(); }
  ValueModel clone() const { return ValueModel(model_.clone()); }
  void compute_in(Precision precision) { model_.compute_in(precision); }
  ScalarModel& scalar() { return model_; }

 private:
  ScalarModel model_;
};

}  // namespace rlhf
