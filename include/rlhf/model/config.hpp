/// Shape and numbers of a Llama-style decoder.
#pragma once

#include <cstdint>

namespace rlhf {

/// Whether the output layer is the embedding's transpose or a matrix of its own.
enum class OutputLayer : uint8_t { tied, separate };

/// Slower rotation of the slow pairs, for contexts longer than those trained on first (Llama 3.1;
/// "llama3" in Hugging Face's rope_type). Pairs that turn more than `high` times in
/// `original_context` tokens stay, those that turn less than `low` times turn `factor` times
/// slower, and those between go over smoothly.
struct RopeScaling {
  double factor = 1.0;  ///< 1: none
  double low = 1.0;
  double high = 4.0;
  int64_t original_context = 8192;
  bool operator==(const RopeScaling&) const = default;
};

/// A decoder of RMSNorm, rotary positions, grouped queries and SwiGLU (Touvron et al. 2023,
/// arXiv 2302.13971; grouped queries: Ainslie et al. 2023, arXiv 2305.13245).
struct TransformerConfig {
  int64_t vocab_size = 0;
  int64_t dim = 0;         ///< width of the residual stream
  int64_t hidden_dim = 0;  ///< width inside the SwiGLU
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;           ///< 0: as many as heads
  int64_t head_dim = 0;           ///< 0: dim / heads
  int64_t context_length = 2048;  ///< longest sequence, prompt and response together
  double rope_base = 10000.0;
  RopeScaling rope_scaling = {};
  double norm_epsilon = 1e-5;
  OutputLayer output_layer = OutputLayer::tied;

  int64_t key_heads() const { return kv_heads > 0 ? kv_heads : heads; }
  int64_t head_size() const { return head_dim > 0 ? head_dim : dim / heads; }
  /// @throws Error naming the first field that cannot work
  void validate() const;
  bool operator==(const TransformerConfig&) const = default;
};

}  // namespace rlhf
