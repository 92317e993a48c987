/// Reads checkpoints of llama2.c (github.com/karpathy/llama2.c, "version 0" files).
#pragma once

#include <filesystem>

#include "rlhf/model/causal_lm.hpp"

namespace rlhf::model {

/// Seven int32 (dim, hidden_dim, layers, heads, kv_heads, vocabulary: negative where the output
/// layer is separate, context length), then float32 matrices. Rotary pairs, interleaved in the
/// file, are reordered to halves.
/// @throws Error naming the file: missing, header out of range, size that does not fit the header
CausalLM load_llama2c(const std::filesystem::path& path);

}  // namespace rlhf::model
