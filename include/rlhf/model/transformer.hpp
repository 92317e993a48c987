/// The decoder trunk: tokens in, hidden states out, over ragged batches without padding, and token
/// by token with a key/value cache.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/core/tensor.hpp"
#include "rlhf/model/config.hpp"
#include "rlhf/model/kv_cache.hpp"
#include "rlhf/model/layout.hpp"
#include "rlhf/model/lora.hpp"
#include "rlhf/model/precision.hpp"

namespace rlhf {
namespace model {
struct DecoderBatch;
struct PackedPair;
class FrozenStates;
struct MergedAdapters;
class PackedWeights;
}  // namespace model
namespace model::composite {
struct Layer;
}

/// Weights of one layer; matrices are [out, in]. What the model's family does not have is
/// undefined.
struct TransformerBlock {
  Tensor attention_norm, attention_norm_bias;  ///< [dim]
  Tensor qkv, qkv_bias;         ///< [(heads + 2 kv_heads) * head_size, dim]: queries, keys, values
  Tensor query_norm, key_norm;  ///< [head_size]
  Tensor attention_out, attention_out_bias;  ///< [dim, heads * head_size]
  Tensor mlp_norm, mlp_norm_bias;            ///< [dim]
  Tensor gate_up, gate_up_bias;  ///< [2 hidden_dim, dim]: gate, up; for GELU [hidden_dim, dim]: up
  Tensor down, down_bias;        ///< [dim, hidden_dim]
  /// Adapters beside the four matrices: A [parts * rank, in] and B [rows of all parts, rank]; see
  /// model::Adapters.
  Tensor qkv_lora_a = {}, qkv_lora_b = {}, attention_out_lora_a = {}, attention_out_lora_b = {};
  Tensor gate_up_lora_a = {}, gate_up_lora_b = {}, down_lora_a = {}, down_lora_b = {};

  struct Field {
    const char* name;
    Tensor TransformerBlock::*weight;
  };
  static const std::array<Field, 22> fields;
  /// The four products that may have adapters, in the order of model::Adapted.
  struct Adaptable {
    const char* name;
    Tensor TransformerBlock::*weight, TransformerBlock::*a, TransformerBlock::*b;
  };
  static const std::array<Adaptable, 4> adaptable;
};

/// Decoder trunk. Moved, not copied by accident: clone() copies the weights.
class Transformer {
 public:
  /// Random weights: N(0, 0.02^2), the two residual outputs scaled by 1/sqrt(2 layers) (Radford et
  /// al. 2019); norms at 1, biases at 0. @throws Error from config.validate()
  Transformer(const TransformerConfig& config, Generator& generator);
  Transformer(Transformer&&) = default;
  Transformer& operator=(Transformer&&) = default;
  Transformer(const Transformer&) = delete;
  Transformer& operator=(const Transformer&) = delete;
  Transformer clone() const;
  /// The same weights in the same memory, frozen in the copy, and no adapters.
  Transformer view() const;
  /// A view with new adapters: A from N(0, 1 / (3 in)), as wide as PEFT's, B zeros, so that nothing
  /// changes yet.
  /// @throws Error from options.validate(), a pattern that selects no layer, a first layer that is
  ///         frozen or not there, a model whose parts are of no family with names in files
  Transformer with_adapters(const LoraOptions& options, Generator& generator) const;
  /// Null where there are none.
  const std::shared_ptr<const model::Adapters>& adapters() const { return adapters_; }
  /// A copy, adapters added to its weights.
  /// @throws Error where there are none
  Transformer merged() const;
  /// Adds the adapters to the weights themselves, and sets them aside until unmerge(), which takes
  /// them off again, exact to rounding. Meanwhile they neither cost time nor learn.
  /// @throws Error where there are none, or they are merged already; where another model shares the
  ///         weights, as it would change
  void merge();
  /// @throws Error where nothing is merged; where another model shares the weights
  void unmerge();

  const TransformerConfig& config() const { return config_; }
  /// The embedding, learnt positions, each layer's weights, the final norm; names as
  /// "layers.0.qkv", "layers.0.qkv_bias", "layers.0.qkv_lora_a".
  std::vector<NamedTensor> named_parameters() const;
  const Tensor& embedding() const { return embedding_; }

  /// Hidden states after the final norm at the chosen tokens.
  /// @param positions  int64 [P], increasing indices into completions.tokens; the last layer's
  ///                   mixing of channels and everything behind it runs for these alone
  /// @return           [P, dim], differentiable
  /// @throws Error     a sequence longer than the context (with its row), a token outside of the
  ///                   vocabulary, positions that are no such indices
  Tensor hidden(const Completions& completions, const Tensor& positions) const;

  /// Reads B sequences end to end into a new cache (a sequence may be empty); `output` [V, dim] is
  /// the layer that will make logits of what follows.
  KvCache read(const Tensor& tokens, const std::vector<int64_t>& lengths, int64_t room,
               const Tensor& output) const;
  /// One more token a row: int64 [B] in, logits [B, V] out. No graph.
  Tensor step(KvCache& cache, const Tensor& tokens, const Tensor& output) const;

  /// The precision of all passes over whole sequences, their gradients included; of the copy that
  /// clone() makes, too. In bfloat16, weights that do not learn are kept a second time, packed: two
  /// bytes a number, and two more of layers that gradients pass; all views share these. Without
  /// effect where the kernels do not work: other types than float32, other devices than the CPU.
  /// @throws Error for int8, which has no gradients
  void compute_in(Precision precision);
  /// The same of step(): sampling. Weights are packed into a copy while a cache is in use, but for
  /// those that bfloat16 keeps anyway and, in float32, those of a model with adapters.
  void decode_in(Precision precision);
  Precision precision() const { return precision_; }
  /// Packed copies of what does not learn.
  model::PackedWeights& packed_weights() const { return *packs_; }

  /// Trains the last `blocks` layers and the final norm only; everything below is frozen.
  void train_only_last(int64_t blocks);
  /// Freezes the embedding and the lowest layers for good, and runs them once a sequence: what they
  /// made of it is remembered, the latest `bytes` of it, by this model and all that are made of it
  /// from here on. Views, clones, and the trunks of reward and value models share the frozen
  /// weights and what is remembered, so that the four models of PPO read a rollout once, and its
  /// epochs not at all.
  /// @throws Error unless 1 <= layers < all layers; where adapters stand beside one of them
  void freeze_lowest(int64_t layers, int64_t bytes = most_remembered);
  static constexpr int64_t most_remembered = int64_t{256} << 20;
  int64_t frozen_layers() const;
  /// Gradient checkpointing (Chen et al. 2016, arXiv 1604.06174): a pass that learns keeps each
  /// layer's input alone, and the backward pass runs the layer once more. The same gradients, to
  /// the bit; of SmolLM2's activations a tenth stays, and a step takes a fifth longer.
  void checkpoint_layers(bool on) { checkpoints_ = on; }
  /// All weights to another floating type or device, as new leaves.
  void to(at::ScalarType dtype);
  void to(at::Device device);

 private:
  Transformer() = default;
  /// The same tensors under another roof.
  Transformer alias() const;
  /// @throws Error naming a token outside of the vocabulary
  void check_tokens(const Tensor& tokens) const;
  /// With their learnt positions, where the model has such.
  Tensor embed(const Tensor& tokens, const Tensor& positions) const;
  model::composite::Layer composite_layer(size_t layer) const;
  /// Layers [begin, end), and the final norm if they are the last.
  Tensor run(Tensor x, const model::SequenceLayout& layout, const Tensor& positions, int64_t begin,
             int64_t end) const;
  /// What the frozen layers make of these tokens.
  Tensor frozen_states(const Tensor& tokens, const model::SequenceLayout& layout) const;
  /// Counts every change to a weight of the frozen layers.
  /// @throws Error where one of them is to learn
  int64_t frozen_version() const;
  /// Adds `factor` times what the adapters add to the matrix.
  void add_adapters(size_t layer, model::Adapted which, double factor, Tensor& sum) const;
  /// What the fused kernels take.
  std::vector<Tensor> fused_weights(int64_t begin, int64_t end) const;
  model::DecoderBatch fused_batch(const model::SequenceLayout& layout, const Tensor& rows,
                                  int64_t begin, int64_t end) const;
  std::shared_ptr<const model::PackedDecoder> packed(const Tensor& output) const;
  /// Of layers [begin, end), what does not learn, for passes in bfloat16.
  std::vector<model::PackedPair> packed_pairs(int64_t begin, int64_t end) const;
  /// Rotary angles' cosines and sines for these positions, [n, 1, head_size / 2] each.
  std::pair<Tensor, Tensor> rotation(const Tensor& positions) const;
  template <class Function>
  void for_each_parameter(Function&& function) {
    for_each_parameter_from(0, function);
  }
  /// All but the lowest layers' and, where there are such, what is below them.
  template <class Function>
  void for_each_parameter_from(int64_t layer, Function&& function);
  void forget_frozen_states();
  /// @throws Error unless there are adapters to merge
  void require_adapters() const;
  /// @throws Error where another model shares a weight that these stand beside
  void require_own_weights(const model::Adapters& adapters) const;
  void check_length(int64_t length, int64_t row) const;

  TransformerConfig config_;
  std::shared_ptr<const model::Adapters> adapters_;
  std::shared_ptr<model::FrozenStates> frozen_;          // null: nothing is frozen for good
  std::shared_ptr<const model::MergedAdapters> merged_;  // null: nothing is merged
  std::shared_ptr<model::PackedWeights> packs_;
  Tensor embedding_;  // [vocab, dim]
  Tensor positions_;  // [context, dim], if learnt
  std::vector<TransformerBlock> blocks_;
  Tensor norm_, norm_bias_;  // [dim]
  Tensor cosines_, sines_;   // [context, head_size / 2], if rotary
  Precision precision_ = Precision::float32, decoding_ = Precision::float32;
  bool checkpoints_ = false;
};

template <class Function>
void Transformer::for_each_parameter_from(int64_t layer, Function&& function) {
  const auto visit = [&](Tensor& weight) {
    if (weight.defined()) function(weight);
  };
  if (layer == 0) {
    visit(embedding_);
    visit(positions_);
  }
  for (auto i = static_cast<size_t>(layer); i < blocks_.size(); ++i) {
    for (const auto& field : TransformerBlock::fields) visit(blocks_[i].*field.weight);
  }
  visit(norm_);
  visit(norm_bias_);
}

}  // namespace rlhf
