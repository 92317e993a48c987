/// Weights of the fused passes: their places in the list, and the matrices as products read them.
#pragma once

#include <array>
#include <optional>

#include "../kernels/team.hpp"
#include "fused_decoder.hpp"

namespace rlhf::model::fused {

/// Places of a layer's weights in the list: TransformerBlock::fields.
enum Slot : size_t {
  attention_norm,
  attention_norm_bias,
  qkv,
  qkv_bias,
  query_norm,
  key_norm,
  attention_out,
  attention_out_bias,
  mlp_norm,
  mlp_norm_bias,
  gate_up,
  gate_up_bias,
  down,
  down_bias,
  qkv_a,
  qkv_b,
  attention_out_a,
  attention_out_b,
  gate_up_a,
  gate_up_b,
  down_a,
  down_b,
  weights_a_layer
};

/// A layer's matrices, by Adapted.
constexpr std::array<Slot, 4> matrices{qkv, attention_out, gate_up, down};

/// Weights of one layer.
class Weights {
 public:
  Weights(at::TensorList all, int64_t layer)
      : own_(all.slice(static_cast<size_t>(layer) * weights_a_layer, weights_a_layer)) {}
  const Tensor& operator[](Slot slot) const { return own_[slot]; }

 private:
  at::TensorList own_;
};

/// The matrices of one layer at a time, packed. What learns is another after every step, so a pass
/// packs it anew, all threads together, and then takes a few rows at a time through the layer's
/// products.
class LayerPacks {
 public:
  enum class Way : uint8_t { forward, backward };
  LayerPacks(Way way, at::TensorList weights, const DecoderBatch& batch);

  /// Waits until all have left the layer before, and returns when this one's matrices are there.
  void make(const kernels::Member& member, int64_t layer);
  /// Of the layer that was made last.
  const PackedMatrix* at(int64_t layer, Adapted which) const;

 private:
  const PackedMatrix* lasting(int64_t layer, Adapted which) const;

  Way way_;
  at::TensorList weights_;
  const DecoderBatch& batch_;
  std::array<std::optional<PackedMatrix>, 4> own_;  // by Adapted; none where all are packed already
};

}  // namespace rlhf::model::fused
