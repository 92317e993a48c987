/// adapter_config.json of PEFT as LoraOptions. No LibTorch is read, so that tests/fuzz can compile
/// it alone.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/model/lora.hpp"

namespace rlhf::model {

/// @param layers  of the base
/// @param place   begins every message: "<folder>/adapter_config.json"
/// @throws Error  naming the field: missing, out of range, or what these adapters do not have
LoraOptions lora_options_of(const nlohmann::json& config, int64_t layers, const std::string& place);

}  // namespace rlhf::model
