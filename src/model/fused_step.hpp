/// One token more for every growing sequence, by the fused kernels: each thread takes rows through
/// all layers, over weights packed once when decoding begins.
#pragma once

#include "fused_decoder.hpp"
#include "rlhf/model/kv_cache.hpp"

namespace rlhf::model {

/// A matrix [outputs, inputs] as the kernels' product reads it.
struct PackedMatrix {
  kernels::Number number;
  Tensor packed;
  int64_t outputs = 0, inputs = 0;

  PackedMatrix(kernels::Number number, const Tensor& weight);
  /// y [rows, outputs] = x [rows, inputs] matrix^T (+ y where `add`)
  void product(const float* x, int64_t rows, float* y, bool add = false) const;
};

struct PackedDecoder {
  struct Layer {
    Tensor attention_norm, mlp_norm;
    PackedMatrix qkv, attention_out, gate_up, down;
  };
  DecoderShape shape;
  Tensor embedding;  ///< [vocab, dim]
  std::vector<Layer> layers;
  Tensor norm;
  PackedMatrix output;
  Tensor cosines, sines;  ///< [context, head_size / 2]
};

/// Tokens a row that a cache has place for when `tokens` are asked: the kernels read whole vectors.
constexpr int64_t cache_capacity(int64_t tokens) {
  return (tokens + 15) / 16 * 16 + 16;
}

/// Logits [B, V]; the cache, which has room, grows by a token a row.
/// @param tokens  int64 [B], contiguous, each in the vocabulary
Tensor fused_step(KvCache& cache, const Tensor& tokens);

}  // namespace rlhf::model
