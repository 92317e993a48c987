#include "lora_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::model {
namespace {

using nlohmann::json;

constexpr size_t most_targets = 4096;

/// A pattern that matches this text alone.
std::string escaped(const std::string& text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view(".^$|()[]{}*+?\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

/// PEFT's layers_to_transform: ours are all from one on.
int64_t first_layer_of(const json& layers, int64_t count, const std::string& field) {
  const auto in_order = [&] {
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto expected = count - static_cast<int64_t>(layers.size() - i);
      if (!layers[i].is_number_integer() || layers[i] != expected) return false;
    }
    return true;
  };
  require(layers.is_array() && static_cast<int64_t>(layers.size()) <= count && in_order(), field,
          fmt::format("layers in order up to the last, {}", count - 1), io::quote(layers));
  return count - static_cast<int64_t>(layers.size());
}

}  // namespace

LoraOptions lora_options_of(const json& config, int64_t layers, const std::string& place) {
  require(config.is_object(), place, "an object", config.type_name());
  const auto field = [&](const char* name) { return fmt::format("{}: {}", place, name); };
  const auto has = [&](const char* name) {
    return config.contains(name) && !config.at(name).is_null();
  };
  const auto number = [&](const char* name) {
    require(has(name) && config.at(name).is_number(), field(name), "a number",
            has(name) ? io::quote(config.at(name)) : "none");
    return config.at(name).get<double>();
  };
  const auto only = [&](const char* name, const json& wanted) {
    require(!has(name) || config.at(name) == wanted || config.at(name).empty(), field(name),
            wanted.dump(), has(name) ? io::quote(config.at(name)) : "none");
  };
  require(has("peft_type") && config.at("peft_type") == "LORA", field("peft_type"), "\"LORA\"",
          has("peft_type") ? io::quote(config.at("peft_type")) : "none");
  only("bias", "none");
  only("use_dora", false);
  only("use_rslora", false);
  for (const char* name : {"rank_pattern", "alpha_pattern", "modules_to_save", "layers_pattern",
                           "layer_replication", "exclude_modules", "target_parameters",
                           "trainable_token_indices", "alora_invocation_tokens"}) {
    require(!has(name) || config.at(name).empty(), field(name), "none",
            has(name) ? io::quote(config.at(name)) : "none");
  }
  // Others than these make the base another one, too.
  if (has("init_lora_weights")) {
    const json& initial = config.at("init_lora_weights");
    require(initial.is_boolean() || initial == "gaussian" || initial == "eva" ||
                initial == "orthogonal",
            field("init_lora_weights"),
            "true, false, \"gaussian\", \"eva\" or \"orthogonal\", which leave the base as it is",
            io::quote(initial));
  }
  const double rank = number("r");
  require(rank >= 1 && rank <= (1 << 20) && rank == std::floor(rank), field("r"), "1 to 1048576",
          io::quote(config.at("r")));
  LoraOptions options{
      .rank = static_cast<int64_t>(rank), .alpha = number("lora_alpha"), .targets = {}};
  if (has("layers_to_transform") && !config.at("layers_to_transform").empty()) {
    options.first_layer =
        first_layer_of(config.at("layers_to_transform"), layers, field("layers_to_transform"));
  }
  require(has("target_modules"), field("target_modules"), "names or a pattern", "none");
  const json& targets = config.at("target_modules");
  if (targets.is_string()) {
    options.targets = {targets.get<std::string>()};
    return options;
  }
  require(targets.is_array() && std::ranges::all_of(targets, &json::is_string),
          field("target_modules"), "names or a pattern", io::quote(targets));
  require(targets.size() <= most_targets, field("target_modules"), "at most 4096 names",
          targets.size());
  // A name selects what ends with it, after a dot.
  for (const json& target : targets) {
    options.targets.push_back("(.*\\.)?" + escaped(target.get<std::string>()));
  }
  return options;
}

}  // namespace rlhf::model
