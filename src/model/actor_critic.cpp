#include "rlhf/model/actor_critic.hpp"

namespace rlhf {

ActorCritic::ActorCritic(CausalLM language_model) : language_model_(std::move(language_model)) {
  const auto options = language_model_.output().options().requires_grad(false);
  value_weight_ = torch::zeros({1, language_model_.config().dim}, options).requires_grad_();
  value_bias_ = torch::zeros({1}, options).requires_grad_();
}

TokenOutputs ActorCritic::evaluate(const Completions& completions,
                                   const EvaluateOptions& options) const {
  const Tensor hidden = language_model_.response_hidden(completions);
  TokenOutputs outputs = language_model_.outputs_of(hidden, completions, options);
  outputs.values =
      pad_responses(torch::linear(hidden, value_weight_, value_bias_).squeeze(1), completions);
  return outputs;
}

std::vector<NamedTensor> ActorCritic::named_parameters() const {
  auto named = language_model_.named_parameters();
  named.emplace_back("value_head.weight", value_weight_);
  named.emplace_back("value_head.bias", value_bias_);
  return named;
}

}  // namespace rlhf
