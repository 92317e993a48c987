#include "rlhf/model/lora_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "lora_config.hpp"
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
                       module.a.narrow(0, module.part.row_of_a, rank));
    named.emplace_back(prefix + module.name + ".lora_B.weight",
                       module.b.narrow(0, module.part.row_of_b, module.part.rows));
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
  const Adapters as_named =
      adapters_of(model.config(), {.rank = 1,
                                   .targets = {last_names.begin(), last_names.end()},
                                   .first_layer = model.trunk().adapters()->options.first_layer});
  size_t selected = 0;
  for (const auto& layer : as_named.layers) {
    for (const auto& parts : layer) selected += parts.size();
  }
  if (selected == all.size()) return last_names;
  return all;
}

/// A rank that the weights beside it do not have would take memory before it was found out.
void require_rank(int64_t rank, const std::map<std::string, Tensor>& stored,
                  const TransformerConfig& base, const std::string& place) {
  const auto is_of_rank = [&](const auto& entry) {
    const auto& [name, tensor] = entry;
    if (!name.ends_with("lora_A.weight") || tensor.dim() != 2 || tensor.size(0) != rank) {
      return false;
    }
    const int64_t width = tensor.size(1);
    return width == base.dim || width == base.hidden_dim || width == base.heads * base.head_size();
  };
  require(std::ranges::any_of(stored, is_of_rank), place + ": r",
          fmt::format("the rows of the lora_A matrices in {}", weights_file), rank);
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
  const LoraOptions options = lora_options_of(io::read_json(folder / config_file, max_config_bytes),
                                              base.config().layers, place);
  const fs::path path = folder / weights_file;
  std::map<std::string, Tensor> stored;
  for (auto& [name, tensor] : io::read_safetensors(path).tensors) stored.emplace(name, tensor);
  require_rank(options.rank, stored, base.config(), place);
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
