/// What other people's files call a decoder. No LibTorch is read, so that tests/fuzz can compile
/// what reads their configs alone.
#pragma once

#include "rlhf/model/config.hpp"

namespace rlhf::model {

/// The greatest dimension that a file may ask for: no product of two overflows.
inline constexpr int64_t largest_dimension = int64_t{1} << 31;

/// The families whose names and configs are known. Mistral is a Llama to us.
enum class Family : uint8_t { llama, qwen2, qwen3, gpt2 };

/// The family that has these parts.
/// @throws Error where none has them all
Family family_of(const TransformerConfig& config);

}  // namespace rlhf::model
