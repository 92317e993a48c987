/// A language model and a value head on one trunk: policy and critic in one pass.
#pragma once

#include "rlhf/core/concepts.hpp"
#include "rlhf/model/causal_lm.hpp"

namespace rlhf {

/// Models Policy, Decoder and Critic. Pass the same object as policy and critic of PpoTrainer.
class ActorCritic {
 public:
  /// Takes the language model; the value head starts at zero.
  explicit ActorCritic(CausalLM language_model);

  /// log_probs, values (of the state before each token) and, if asked for, entropy: [B, T] each.
  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options = {}) const;
  std::vector<NamedTensor> named_parameters() const;

  KvCache begin(const Completions& prompts, int64_t room = 64) const {
    return language_model_.begin(prompts, room);
  }
  Tensor step(KvCache& cache, const Tensor& tokens) const {
    return language_model_.step(cache, tokens);
  }
  void keep(KvCache& cache, const Tensor& rows) const { cache.keep(rows); }

  void compute_in(Precision precision) { language_model_.compute_in(precision); }
  void decode_in(Precision precision) { language_model_.decode_in(precision); }
  void checkpoint_layers(bool on) { language_model_.checkpoint_layers(on); }
  int64_t vocab_size() const { return language_model_.vocab_size(); }
  CausalLM& language_model() { return language_model_; }

 private:
  CausalLM language_model_;
  Tensor value_weight_;  // [1, dim]
  Tensor value_bias_;    // [1]
};

}  // namespace rlhf
