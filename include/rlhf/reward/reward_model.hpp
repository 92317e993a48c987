/// A reward learnt from rankings: one score for a prompt and its response. Models Reward.
#pragma once

#include "rlhf/core/rollout.hpp"
#include "rlhf/model/scalar_head.hpp"

namespace rlhf {

class RewardModel {
 public:
  explicit RewardModel(ScalarModel model) : model_(std::move(model)) {}
  /// A new head N(0, 1/(dim + 1)) on a copy of the language model's trunk (Huang et al. 2024).
  RewardModel(const CausalLM& language_model, Generator& generator);
  /// The same on this trunk itself, such as a view with adapters.
  RewardModel(Transformer&& trunk, Generator& generator);

  /// float [B], read at the last token of each sequence. Differentiable.
  Tensor score(const Completions& completions) const;
  /// The same without gradient.
  Tensor operator()(const Rollout& rollout) const;
  std::vector<NamedTensor> named_parameters() const { return model_.named_parameters(); }

  /// Moves the bias so that these demonstrations score 0 on average (Ouyang et al. 2022).
  /// @return what was added
  double centre_on(const Completions& demonstrations);

  RewardModel clone() const { return RewardModel(model_.clone()); }
  /// A critic that starts from this model (Huang et al. 2024).
  ValueModel value_model() const { return ValueModel(model_.clone()); }
  /// See Transformer: the precision of its passes.
  void compute_in(Precision precision) { model_.compute_in(precision); }
  ScalarModel& scalar() { return model_; }

 private:
  ScalarModel model_;
};

}  // namespace rlhf
