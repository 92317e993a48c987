#include "fuzz/model/targets.hpp"

#include <stdexcept>

#include "../../../src/model/hugging_face_config.hpp"
#include "../../../src/model/lora_config.hpp"
#include "../../../src/model/lora_targets.hpp"
#include "fuzz/place.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::fuzz {
namespace {

nlohmann::json written(const TransformerConfig& config) {
  return io::parse_json(model::hugging_face_config(config, "ForCausalLM").dump(), file_name);
}

/// What was read can be written, and says the same.
void read_config(const std::string& bytes) {
  const nlohmann::json json = io::parse_json(bytes, file_name);
  require(json.is_object(), file_name, "an object", json.type_name());
  const nlohmann::json once = written(model::transformer_config_of(json, file_name));
  if (written(model::transformer_config_of(once, "written again")) != once) {
    throw std::logic_error("another config when written and read again");
  }
}

void read_adapter_config(const std::string& bytes) {
  const LoraOptions options =
      model::lora_options_of(io::parse_json(bytes, file_name), 2, file_name);
  beyond_the_file([&] {
    model::LoraTargets targets(options.targets);
    targets.select("model.layers.0.self_attn.q_proj");
    targets.select("model.layers.1.mlp.down_proj");
    targets.require_used("two modules");
  });
}

}  // namespace

Target config_target() {
  return {"config",
          read_config,
          {"\"llama\"",
           "\"qwen2\"",
           "\"qwen3\"",
           "\"gpt2\"",
           "\"mistral\"",
           "\"head_dim\":3,",
           "\"sliding_window\":8,",
           "\"use_sliding_window\":true,",
           "\"layer_types\":[",
           "\"full_attention\"",
           "\"rope_scaling\":{",
           "\"rope_type\":\"llama3\",",
           "\"factor\":",
           "\"n_inner\":",
           "null",
           "-1",
           "0",
           "1e308",
           "4294967296",
           "{",
           "}",
           "[",
           "]",
           ",",
           ":"}};
}

Target adapter_config_target() {
  return {"adapter_config",
          read_adapter_config,
          {"\"LORA\"",
           "\"r\":",
           "\"all-linear\"",
           "\"target_modules\":[",
           "\"q_proj\"",
           ".*",
           "(a*)*",
           "((((((((",
           "[^.]",
           "\\\\d{1,9}",
           "(?R)",
           "(?<=a)",
           "\\\\1",
           "null",
           "1e308",
           "\"layers_to_transform\":[0,1]",
           "{",
           "}",
           "[",
           "]",
           ",",
           ":"}};
}

}  // namespace rlhf::fuzz
