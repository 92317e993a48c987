/// Adapters as Python's PEFT keeps them: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <filesystem>
#include <string>

#include "rlhf/model/causal_lm.hpp"
#include "rlhf/model/lora.hpp"

namespace rlhf::model {

/// Writes a folder as a whole or not at all, in the model's own type; PeftModel.from_pretrained()
/// reads it.
/// @param base     name or folder of the base model, for those who read it
/// @throws Error   where the model has no adapters; a folder that holds anything else is never
///                 replaced
void save_lora(const std::filesystem::path& folder, const CausalLM& model,
               const std::string& base = "");

/// A view of the base with the adapters of a folder; they are free to learn.
/// @throws Error naming file and field or tensor: another kind of adapter (DoRA, rank-stabilised,
///         with biases, ranks of their own or whole layers beside them, made together with another
///         base, as PiSSA), a pattern that selects nothing in this base, a tensor missing,
///         unexpected or ill-shaped
CausalLM load_lora(const std::filesystem::path& folder, const CausalLM& base);

}  // namespace rlhf::model
