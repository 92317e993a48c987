#include "rlhf/model/lora_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <regex>
#include <set>

#include "lora_modules.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/safetensors.hpp"

namespace rlhf::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* config_file = "adapter_config.json";
constexpr const char* weights_file = "adapter_model.safetensors";
constexpr const char* prefix = "base_model.model.";
constexpr int64_t max_config_bytes = int64_t{1} << 20;

/// Every adapter's A and B under PEFT's names; they share the model's memory.
std::vector<NamedTensor> named_adapters(const CausalLM& model) {
  std::vector<NamedTensor> named;
  const Adapters& adapters = *model.trunk().adapters();
  for (const AdaptedModule& module : adapted_modules(model.trunk())) {
    const int64_t rank = adapters.options.rank;
    named.emplace_back(prefix + module.name + ".lora_A.weight",
                       module.a.narrow(0, module.part * rank, rank));
    named.emplace_back(prefix + module.name + ".lora_B.weight",
                       module.b.narrow(0, module.row_of_b, module.rows));
  }
  return named;
}

/// PEFT's target_modules: the modules' last names where every layer has the same, else all names.
json targets_of(const CausalLM& model) {
  std::set<std::string> last_names;
  std::vector<std::string> all;
  for (const AdaptedModule& module : adapted_modules(model.trunk())) {
    last_names.insert(module.name.substr(module.name.rfind('.') + 1));
    all.push_back(module.name);
  }
  Generator unused(0);
  const CausalLM as_named =
      model.with_adapters({.rank = 1,
                           .targets = {last_names.begin(), last_names.end()},
                           .first_layer = model.trunk().adapters()->options.first_layer},
                          unused);
  if (adapted_modules(as_named.trunk()).size() == all.size()) return last_names;
  return all;
}

/// A pattern that matches this text alone.
std::string escaped(const std::string& text) {
  static const std::regex special(R"([.^$|()\[\]{}*+?\\])");
  return std::regex_replace(text, special, R"(\$&)");
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
          fmt::format("layers in order up to the last, {}", count - 1), layers.dump());
  return count - static_cast<int64_t>(layers.size());
}

LoraOptions options_of(const json& config, int64_t layers, const std::string& place) {
  require(config.is_object(), place, "an object", config.type_name());
  const auto field = [&](const char* name) { return fmt::format("{}: {}", place, name); };
  const auto has = [&](const char* name) {
    return config.contains(name) && !config.at(name).is_null();
  };
  const auto number = [&](const char* name) {
    require(has(name) && config.at(name).is_number(), field(name), "a number",
            has(name) ? config.at(name).dump() : "none");
    return config.at(name).get<double>();
  };
  const auto only = [&](const char* name, const json& wanted) {
    require(!has(name) || config.at(name) == wanted || config.at(name).empty(), field(name),
            wanted.dump(), has(name) ? config.at(name).dump() : "none");
  };
  require(has("peft_type") && config.at("peft_type") == "LORA", field("peft_type"), "\"LORA\"",
          has("peft_type") ? config.at("peft_type").dump() : "none");
  only("bias", "none");
  only("use_dora", false);
  only("use_rslora", false);
  for (const char* name :
       {"rank_pattern", "alpha_pattern", "modules_to_save", "layers_pattern", "layer_replication",
        "exclude_modules", "target_parameters", "trainable_token_indices"}) {
    require(!has(name) || config.at(name).empty(), field(name), "none",
            has(name) ? config.at(name).dump() : "none");
  }
  const double rank = number("r");
  require(rank >= 1 && rank <= (1 << 20) && rank == std::floor(rank), field("r"), "1 to 1048576",
          config.at("r").dump());
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
          field("target_modules"), "names or a pattern", targets.dump());
  // A name selects what ends with it, after a dot.
  for (const json& target : targets) {
    options.targets.push_back("(.*\\.)?" + escaped(target.get<std::string>()));
  }
  return options;
}

}  // namespace

void save_lora(const fs::path& folder, const CausalLM& model, const std::string& base) {
  require(model.trunk().adapters() != nullptr, "model whose adapters to save", "one with adapters",
          "none");
  const LoraOptions& options = model.trunk().adapters()->options;
  json config = {{"peft_type", "LORA"},
                 {"task_type", "CAUSAL_LM"},
                 {"base_model_name_or_path", base},
                 {"r", options.rank},
                 {"lora_alpha", options.alpha},
                 {"lora_dropout", 0.0},
                 {"target_modules", targets_of(model)},
                 {"bias", "none"},
                 {"fan_in_fan_out", stores_transposed(model.config())},
                 {"inference_mode", true}};
  if (options.first_layer > 0) {
    std::vector<int64_t> layers(static_cast<size_t>(model.config().layers - options.first_layer));
    std::iota(layers.begin(), layers.end(), options.first_layer);
    config["layers_to_transform"] = layers;
  }
  io::write_folder_atomically(folder, config_file, [&](const fs::path& temporary) {
    io::write_safetensors(temporary / weights_file, named_adapters(model), {{"format", "pt"}});
    io::write_file_atomically(temporary / config_file, config.dump(2) + "\n");
  });
}

CausalLM load_lora(const fs::path& folder, const CausalLM& base) {
  const std::string place = (folder / config_file).string();
  const LoraOptions options = options_of(io::read_json(folder / config_file, max_config_bytes),
                                         base.config().layers, place);
  const fs::path path = folder / weights_file;
  std::map<std::string, Tensor> stored;
  for (auto& [name, tensor] : io::read_safetensors(path).tensors) stored.emplace(name, tensor);
  Generator unused(0);
  CausalLM model = [&] {
    try {
      return base.with_adapters(options, unused);
    } catch (const Error& error) {
      fail(fmt::format("{}: {}", place, error.what()));
    }
  }();
  NoGrad no_grad;
  for (const auto& [name, place_of] : named_adapters(model)) {
    const auto found = stored.find(name);
    require(found != stored.end(), path.string(), "a tensor \"" + name + "\"", "none");
    require(found->second.sizes() == place_of.sizes(),
            path.string() + ": shape of \"" + name + "\"", place_of.sizes(), found->second.sizes());
    place_of.detach().copy_(found->second);
    stored.erase(found);
  }
  require(stored.empty(), path.string(), "no tensor that the base has no place for",
          stored.empty() ? "" : "\"" + stored.begin()->first + "\"");
  return model;
}

}  // namespace rlhf::model
