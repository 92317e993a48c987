/// Shape, numbers and parts of a decoder: what tells the families apart.
#pragma once

#include <cstdint>

namespace rlhf {

/// Whether the output layer is the embedding's transpose or a matrix of its own.
enum class OutputLayer : uint8_t { tied, separate };

/// What every layer normalises with: RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467), or
/// LayerNorm with a bias (Ba et al. 2016, arXiv 1607.06450).
enum class NormKind : uint8_t { rms, layer };

/// The inside of the MLP: silu(gate) * up (Shazeer 2020, arXiv 2002.05202), or GELU by the tanh
/// (Hendrycks and Gimpel 2016, arXiv 1606.08415).
enum class Activation : uint8_t { swiglu, gelu };

/// How a token knows its place: heads rotated (Su et al. 2021, arXiv 2104.09864), or a learnt
/// vector a place, added to the embedding.
enum class Positions : uint8_t { rotary, learned };

/// Which products have a bias: none, those of queries, keys and values, or all but the output's.
enum class Bias : uint8_t { none, qkv, all };

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

/// A decoder whose layers are attention and MLP, each behind a norm and added to what it read. As
/// it stands, Llama (Touvron et al. 2023, arXiv 2302.13971; grouped queries: Ainslie et al. 2023,
/// arXiv 2305.13245); the parts named last make it a Qwen2, a Qwen3 or a GPT-2.
struct TransformerConfig {
  int64_t vocab_size = 0;
  int64_t dim = 0;         ///< width of the residual stream
  int64_t hidden_dim = 0;  ///< width inside the MLP
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;           ///< 0: as many as heads
  int64_t head_dim = 0;           ///< 0: dim / heads
  int64_t context_length = 2048;  ///< longest sequence, prompt and response together
  double rope_base = 10000.0;
  RopeScaling rope_scaling = {};
  double norm_epsilon = 1e-5;
  OutputLayer output_layer = OutputLayer::tied;
  NormKind norm = NormKind::rms;
  Activation activation = Activation::swiglu;
  Positions positions = Positions::rotary;
  Bias bias = Bias::none;
  bool query_key_norm =
      false;  ///< an RMSNorm a head on queries and on keys, before they are rotated

  int64_t key_heads() const { return kv_heads > 0 ? kv_heads : heads; }
  int64_t head_size() const { return head_dim > 0 ? head_dim : dim / heads; }
  /// @throws Error naming the first field that cannot work
  void validate() const;
  bool operator==(const TransformerConfig&) const = default;
};

}  // namespace rlhf
