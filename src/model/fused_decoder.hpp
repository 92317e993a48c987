/// The decoder layers as one autograd function on float32 rows in processor memory: hand-written
/// backward pass, threads that split rows instead of waiting for each other at every operation.
/// Transformer's composite form says the same in LibTorch's operations, for every other type and
/// device; tests compare the two.
#pragma once

#include <memory>
#include <vector>

#include "../kernels/kernels.hpp"
#include "packed_weights.hpp"
#include "rlhf/core/tensor.hpp"
#include "rlhf/model/config.hpp"
#include "rlhf/model/kv_cache.hpp"
#include "rlhf/model/layout.hpp"
#include "rlhf/model/lora.hpp"

namespace rlhf::model {

/// What the passes must know of a TransformerConfig.
struct DecoderShape {
  int64_t dim, hidden_dim, layers, heads, kv_heads, head_size;
  float epsilon;
  NormKind norm;
  Activation activation;
  bool rotary, query_key_norm;

  int64_t qkv_width() const { return (heads + 2 * kv_heads) * head_size; }
  int64_t mixed_width() const { return heads * head_size; }
  int64_t gate_up_width() const {
    return activation == Activation::swiglu ? 2 * hidden_dim : hidden_dim;
  }
  const kernels::NormKernels& norm_kernels() const {
    const auto& k = kernels::kernels();
    return norm == NormKind::rms ? k.rms_norm : k.layer_norm;
  }
  const kernels::ActivationKernels& activation_kernels() const {
    const auto& k = kernels::kernels();
    return activation == Activation::swiglu ? k.swiglu : k.gelu;
  }
};

inline DecoderShape decoder_shape(const TransformerConfig& config) {
  return {.dim = config.dim,
          .hidden_dim = config.hidden_dim,
          .layers = config.layers,
          .heads = config.heads,
          .kv_heads = config.key_heads(),
          .head_size = config.head_size(),
          .epsilon = static_cast<float>(config.norm_epsilon),
          .norm = config.norm,
          .activation = config.activation,
          .rotary = config.positions == Positions::rotary,
          .query_key_norm = config.query_key_norm};
}

/// What a pass reads beside weights and hidden states.
struct DecoderBatch {
  DecoderShape shape;
  kernels::Number number;  ///< of the products
  SequenceLayout layout;
  Tensor rows;     ///< int64 [P], increasing: the tokens whose output is wanted
  Tensor cosines;  ///< [context, head_size / 2], of the rotary angles, if there are such
  Tensor sines;
  std::shared_ptr<const Adapters> adapters;  ///< may be null
  int64_t first_layer = 0;                   ///< of the model, that the first of these layers is
  /// Weights that do not learn, by layer and Adapted; empty where none is packed.
  std::vector<PackedPair> packed = {};
  bool checkpoints = false;  ///< the backward pass has each layer's input, and runs it once more

  const PackedPair& packed_pair(int64_t layer, Adapted which) const {
    static const PackedPair none;
    return packed.empty() ? none
                          : packed[static_cast<size_t>(4 * layer) + static_cast<size_t>(which)];
  }
};

/// @param x        [N, dim], embedded tokens; must satisfy can_fuse()
/// @param weights  layer by layer in the order of TransformerBlock::fields, undefined where the
///                 family has none; then the final norm and its bias, undefined where these are
///                 not the model's last layers: then there is no gradient
/// @return         [P, dim], after the final norm; differentiable in x and all weights
Tensor fused_decoder(const Tensor& x, at::TensorList weights,
                     const std::shared_ptr<const DecoderBatch>& batch);

/// Reads whole sequences into the cache, without output or gradient; batch.rows is empty.
void fused_read(const Tensor& x, at::TensorList weights, const DecoderBatch& batch, KvCache& cache);

}  // namespace rlhf::model
