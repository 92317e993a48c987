/// One token more for every growing sequence, by the fused kernels: each thread takes rows through
/// all layers, over weights packed once when decoding begins.
#pragma once

#include <optional>

#include "fused_decoder.hpp"
#include "packed_weights.hpp"
#include "rlhf/model/kv_cache.hpp"

namespace rlhf::model {

/// A linear layer, and what may stand beside it.
struct PackedLinear {
  Tensor weight;                               ///< [outputs, inputs]
  Tensor bias;                                 ///< [outputs], may be undefined
  std::shared_ptr<const PackedMatrix> packed;  ///< null: float32, read where it lies
  /// Of all adapters: A, and B times their scale at the columns of A x that each is for.
  std::optional<PackedMatrix> a = {}, b = {};

  /// y [rows, outputs] = x [rows, inputs] weight^T + bias + adapters (+ y where `add`)
  /// @param low  room for rows * a->outputs floats
  void product(const float* x, int64_t rows, float* low, float* y, bool add = false) const;
};

struct PackedDecoder {
  struct Layer {
    Tensor attention_norm, attention_norm_bias, query_norm, key_norm, mlp_norm, mlp_norm_bias;
    PackedLinear qkv, attention_out, gate_up, down;
  };
  DecoderShape shape;
  Tensor embedding;  ///< [vocab, dim]
  Tensor positions;  ///< [context, dim], if learnt
  std::vector<Layer> layers;
  Tensor norm, norm_bias;
  PackedLinear output;
  Tensor cosines, sines;  ///< [context, head_size / 2], if rotary
};

/// Tokens a row that a cache has place for when `tokens` are asked: the kernels read whole vectors.
constexpr int64_t cache_capacity(int64_t tokens) {
  return (tokens + kernels::key_block - 1) / kernels::key_block * kernels::key_block +
         kernels::key_block;
}

/// A token's key and value into their place in a head's part of the cache.
/// @param keys    [capacity / key_block, head_size, key_block]
/// @param values  [capacity, head_size]
inline void remember(const float* key, const float* value, int64_t position, int64_t head_size,
                     float* keys, float* values) {
  constexpr int64_t block = kernels::key_block;
  float* to = keys + position / block * block * head_size + position % block;
  for (int64_t d = 0; d < head_size; ++d) to[d * block] = key[d];
  std::copy_n(value, head_size, values + position * head_size);
}

/// Logits [B, V]; the cache, which has room, grows by a token a row.
/// @param tokens  int64 [B], contiguous, each in the vocabulary
Tensor fused_step(KvCache& cache, const Tensor& tokens);

}  // namespace rlhf::model
