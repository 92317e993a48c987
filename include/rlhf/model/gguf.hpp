/// Language models from GGUF files (io/gguf.hpp says which types of numbers are read).
#pragma once

#include "rlhf/io/gguf.hpp"
#include "rlhf/model/causal_lm.hpp"

namespace rlhf::model {

/// The weights as float32, dequantised; every parameter is free to learn. Architectures
/// llama, whose queries and keys stand in neighbouring pairs there and in halves here, qwen2 and
/// qwen3.
/// @throws Error naming file and key or tensor: another architecture, a value out of range; a
///         tensor missing, unexpected, ill-shaped or of a type that cannot be read
CausalLM load_gguf(const io::GgufFile& file);
inline CausalLM load_gguf(const std::filesystem::path& path) {
  return load_gguf(io::GgufFile(path));
}

}  // namespace rlhf::model
