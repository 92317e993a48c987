/// config.json of Hugging Face's folders as a TransformerConfig, and back.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/model/config.hpp"

namespace rlhf::model {

/// @param place   begins every message: "<folder>/config.json"
/// @throws Error  naming the field: missing, out of range, or something these models do not have
TransformerConfig transformer_config_of(const nlohmann::json& config, const std::string& place);

/// What transformers makes the model from.
/// @param head    "ForCausalLM" or "ForSequenceClassification"
/// @throws Error  where no family has these parts
nlohmann::json hugging_face_config(const TransformerConfig& config, const std::string& head);

}  // namespace rlhf::model
