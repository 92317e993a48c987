/// A causal language model: a transformer trunk and its output layer. Models Policy and Decoder.
#pragma once

#include "rlhf/core/concepts.hpp"
#include "rlhf/model/transformer.hpp"

namespace rlhf {

class CausalLM {
 public:
  /// Random weights. @throws Error from config.validate()
  CausalLM(const TransformerConfig& config, Generator& generator);
  CausalLM(CausalLM&&) = default;
  CausalLM& operator=(CausalLM&&) = default;
  CausalLM clone() const;
  /// The same weights in the same memory, frozen in the copy: as a reference, or under an adapter.
  CausalLM view() const;
  /// A view that learns by adapters alone; see model/lora.hpp.
  CausalLM with_adapters(const LoraOptions& options, Generator& generator) const;
  /// A copy of its own, adapters added to its weights. @throws Error where there are none
  CausalLM merged() const;
  /// The same in place, and back; see Transformer.
  void merge() { trunk_.merge(); }
  void unmerge() { trunk_.unmerge(); }

  const TransformerConfig& config() const { return trunk_.config(); }
  const Transformer& trunk() const { return trunk_; }
  Transformer& trunk() { return trunk_; }
  /// [vocab, dim]; the embedding itself where the layers are tied.
  const Tensor& output() const { return output_.defined() ? output_ : trunk_.embedding(); }

  int64_t vocab_size() const { return config().vocab_size; }

  // Policy
  /// log-probabilities [B, T] of the response tokens, and the entropy of what they were drawn from.
  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options = {}) const;
  std::vector<NamedTensor> named_parameters() const;

  /// The two halves of evaluate(), for models that put another head on the same trunk: hidden
  /// states [R, dim] where each response token is predicted, and what the output layer makes of
  /// them.
  Tensor response_hidden(const Completions& completions) const;
  TokenOutputs outputs_of(const Tensor& hidden, const Completions& completions,
                          const EvaluateOptions& options) const;

  // Decoder
  /// Reads every prompt but its last token; `room` tokens are reserved for what follows.
  KvCache begin(const Completions& prompts, int64_t room = 64) const;
  Tensor step(KvCache& cache, const Tensor& tokens) const;  ///< logits [B, V]
  void keep(KvCache& cache, const Tensor& rows) const { cache.keep(rows); }

  /// Trains the last `blocks` layers and the final norm only.
  void train_only_last(int64_t blocks);
  /// See Transformer.
  void freeze_lowest(int64_t layers) { trunk_.freeze_lowest(layers); }
  void checkpoint_layers(bool on) { trunk_.checkpoint_layers(on); }
  /// See Transformer: the precision of evaluate(), and of sampling.
  void compute_in(Precision precision) { trunk_.compute_in(precision); }
  void decode_in(Precision precision) { trunk_.decode_in(precision); }
  void to(at::ScalarType dtype);
  void to(at::Device device);

 private:
  CausalLM(Transformer trunk, Tensor output)
      : trunk_(std::move(trunk)), output_(std::move(output)) {}

  Transformer trunk_;
  Tensor output_;  // undefined where tied
};

}  // namespace rlhf
