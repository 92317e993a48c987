#include "rlhf/model/save.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>

#include "lora_modules.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/named_tensors.hpp"
#include "rlhf/io/safetensors.hpp"
#include "weight_names.hpp"

namespace rlhf::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* config_file = "model.json";
constexpr const char* weights_file = "weights.safetensors";
constexpr const char* format_name = "rlhf-model";
constexpr int64_t model_format_version = 2;
constexpr int64_t max_config_bytes = int64_t{1} << 20;

struct NumberType {
  at::ScalarType type;
  const char* name;
};
constexpr std::array<NumberType, 4> number_types = {{{at::kFloat, "float32"},
                                                     {at::kDouble, "float64"},
                                                     {at::kBFloat16, "bfloat16"},
                                                     {at::kHalf, "float16"}}};

/// A JSON object with exactly these fields; every message starts with where it stands.
class Fields {
 public:
  Fields(const json& object, std::string_view where, std::initializer_list<const char*> names)
      : object_(object), where_(where) {
    require(object.is_object(), where_, "an object", object.type_name());
    for (const char* name : names) {
      require(object.contains(name), where_, fmt::format("a field {}", name), "none");
    }
    for (const auto& [key, value] : object.items()) {
      const bool known =
          std::any_of(names.begin(), names.end(), [&](const char* name) { return key == name; });
      require(known, where_, "no unknown field", key);
    }
  }

  const json& value(const char* name) const { return object_.at(name); }
  std::string place(const char* name) const { return fmt::format("{}: {}", where_, name); }

  int64_t integer(const char* name) const {
    const json& number = value(name);
    const bool fits = number.is_number_integer() &&
                      (!number.is_number_unsigned() ||
                       number.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()});
    require(fits, place(name), "an integer", number.dump());
    return number.get<int64_t>();
  }
  double number(const char* name) const {
    require(value(name).is_number(), place(name), "a number", value(name).dump());
    return value(name).get<double>();
  }
  bool boolean(const char* name) const {
    require(value(name).is_boolean(), place(name), "true or false", value(name).dump());
    return value(name).get<bool>();
  }
  /// The entry of `choices` that is named here.
  template <class Choices>
  auto choice(const char* name, const Choices& choices) const {
    std::string names;
    for (const auto& known : choices) {
      if (value(name) == known.name) return known;
      names.append(names.empty() ? "" : " or ").append(known.name);
    }
    fail(place(name), names, value(name).dump());
  }

 private:
  const json& object_;
  std::string where_;
};

template <class Enum>
struct Name {
  Enum value;
  const char* name;
};
constexpr std::array<Name<OutputLayer>, 2> output_layers = {
    {{OutputLayer::tied, "tied"}, {OutputLayer::separate, "separate"}}};
constexpr std::array<Name<NormKind>, 2> norms = {
    {{NormKind::rms, "rms"}, {NormKind::layer, "layer"}}};
constexpr std::array<Name<Activation>, 2> activations = {
    {{Activation::swiglu, "swiglu"}, {Activation::gelu, "gelu"}}};
constexpr std::array<Name<Positions>, 2> kinds_of_positions = {
    {{Positions::rotary, "rotary"}, {Positions::learned, "learned"}}};
constexpr std::array<Name<Bias>, 3> biases = {
    {{Bias::none, "none"}, {Bias::qkv, "qkv"}, {Bias::all, "all"}}};

template <class Enum, size_t count>
const char* name_of(const std::array<Name<Enum>, count>& names, Enum value) {
  return std::ranges::find(names, value, &Name<Enum>::value)->name;
}

void save_parts(const fs::path& folder, const char* kind, const TransformerConfig& config,
                const std::vector<NamedTensor>& parameters) {
  const at::ScalarType type = parameters.front().second.scalar_type();
  const auto known = std::find_if(number_types.begin(), number_types.end(),
                                  [&](const NumberType& n) { return n.type == type; });
  require(known != number_types.end(), "type of the model's parameters", "a floating type",
          c10::toString(type));
  const json description = {{"format", format_name},
                            {"version", model_format_version},
                            {"kind", kind},
                            {"numbers", known->name},
                            {"transformer", to_json(config)}};
  io::write_folder_atomically(folder, config_file, [&](const fs::path& temporary) {
    io::write_safetensors(temporary / weights_file, parameters);
    io::write_file_atomically(temporary / config_file, description.dump(1) + "\n");
  });
}

/// What a folder holds, before anything is made of it.
struct Stored {
  fs::path weights_path;
  TransformerConfig config;
  at::ScalarType type;
  std::vector<NamedTensor> weights;
};

/// A shape that asks for far more than the file holds must not be allocated. Which tensor is at
/// fault is found later, by name; so this is generous.
void require_weights_for(const TransformerConfig& config, const fs::path& path) {
  const double numbers = numbers_of(config);
  std::error_code error;
  const auto bytes = static_cast<int64_t>(fs::file_size(path, error));
  require(numbers <= 2 * static_cast<double>(bytes) + (1 << 24), path.string() + ": bytes",
          fmt::format("enough for the {:.0f} numbers that {} describes", numbers, config_file),
          bytes);
}

Stored read_parts(const fs::path& folder, const char* kind) {
  std::error_code error;
  require(fs::is_directory(folder, error), folder.string(), "a model folder",
          fs::exists(folder, error) ? "another kind of file" : "none");
  const fs::path path = folder / config_file;
  const json description = io::read_json(path, max_config_bytes);
  const std::string where = path.string();
  const Fields fields(description, where, {"format", "version", "kind", "numbers", "transformer"});
  require(fields.value("format") == format_name, fields.place("format"), format_name,
          fields.value("format").dump());
  require(fields.integer("version") == model_format_version, fields.place("version"),
          model_format_version, fields.integer("version"));
  require(fields.value("kind") == kind, fields.place("kind"), kind, fields.value("kind").dump());
  Stored stored{
      .weights_path = folder / weights_file,
      .config = transformer_config_from(fields.value("transformer"), fields.place("transformer")),
      .type = fields.choice("numbers", number_types).type,
      .weights = io::read_safetensors(folder / weights_file).tensors};
  require_weights_for(stored.config, stored.weights_path);
  return stored;
}

void fill(const std::vector<NamedTensor>& parameters, const Stored& stored) {
  io::assign(parameters, stored.weights,
             stored.weights_path.string() + ": weights do not fit the model");
}

CausalLM empty_causal_lm(const Stored& stored) {
  Generator unused(0);
  CausalLM model(stored.config, unused);
  model.to(stored.type);
  return model;
}

}  // namespace

json to_json(const TransformerConfig& config) {
  json scaling = nullptr;
  if (config.rope_scaling.factor != 1) {
    scaling = {{"factor", config.rope_scaling.factor},
               {"low", config.rope_scaling.low},
               {"high", config.rope_scaling.high},
               {"original_context", config.rope_scaling.original_context}};
  }
  return {{"vocab_size", config.vocab_size},
          {"dim", config.dim},
          {"hidden_dim", config.hidden_dim},
          {"layers", config.layers},
          {"heads", config.heads},
          {"kv_heads", config.kv_heads},
          {"head_dim", config.head_dim},
          {"context_length", config.context_length},
          {"rope_base", config.rope_base},
          {"norm_epsilon", config.norm_epsilon},
          {"output_layer", name_of(output_layers, config.output_layer)},
          {"rope_scaling", std::move(scaling)},
          {"norm", name_of(norms, config.norm)},
          {"activation", name_of(activations, config.activation)},
          {"positions", name_of(kinds_of_positions, config.positions)},
          {"bias", name_of(biases, config.bias)},
          {"query_key_norm", config.query_key_norm}};
}

TransformerConfig transformer_config_from(const json& value, std::string_view where) {
  const Fields fields(
      value, where,
      {"vocab_size", "dim", "hidden_dim", "layers", "heads", "kv_heads", "head_dim",
       "context_length", "rope_base", "norm_epsilon", "output_layer", "rope_scaling", "norm",
       "activation", "positions", "bias", "query_key_norm"});
  const auto size = [&](const char* name) {
    const int64_t number = fields.integer(name);
    require(number >= 0 && number <= largest_dimension, fields.place(name),
            fmt::format("0 to {}", largest_dimension), number);
    return number;
  };
  RopeScaling scaling;
  if (!fields.value("rope_scaling").is_null()) {
    const Fields own(fields.value("rope_scaling"), fields.place("rope_scaling"),
                     {"factor", "low", "high", "original_context"});
    scaling = {.factor = own.number("factor"),
               .low = own.number("low"),
               .high = own.number("high"),
               .original_context = own.integer("original_context")};
  }
  const TransformerConfig config{.vocab_size = size("vocab_size"),
                                 .dim = size("dim"),
                                 .hidden_dim = size("hidden_dim"),
                                 .layers = size("layers"),
                                 .heads = size("heads"),
                                 .kv_heads = size("kv_heads"),
                                 .head_dim = size("head_dim"),
                                 .context_length = size("context_length"),
                                 .rope_base = fields.number("rope_base"),
                                 .rope_scaling = scaling,
                                 .norm_epsilon = fields.number("norm_epsilon"),
                                 .output_layer = fields.choice("output_layer", output_layers).value,
                                 .norm = fields.choice("norm", norms).value,
                                 .activation = fields.choice("activation", activations).value,
                                 .positions = fields.choice("positions", kinds_of_positions).value,
                                 .bias = fields.choice("bias", biases).value,
                                 .query_key_norm = fields.boolean("query_key_norm")};
  try {
    config.validate();
  } catch (const Error& error) {
    fail(fmt::format("{}: {}", where, error.what()));
  }
  return config;
}

void save(const fs::path& folder, const CausalLM& model) {
  require_no_adapters(model.trunk());
  save_parts(folder, "causal_lm", model.config(), model.named_parameters());
}

void save(const fs::path& folder, const ScalarModel& model) {
  require_no_adapters(model.trunk());
  save_parts(folder, "scalar_model", model.trunk().config(), model.named_parameters());
}

void save(const fs::path& folder, ActorCritic& model) {
  require_no_adapters(model.language_model().trunk());
  save_parts(folder, "actor_critic", model.language_model().config(), model.named_parameters());
}

CausalLM load_causal_lm(const fs::path& folder) {
  const Stored stored = read_parts(folder, "causal_lm");
  CausalLM model = empty_causal_lm(stored);
  fill(model.named_parameters(), stored);
  return model;
}

ScalarModel load_scalar_model(const fs::path& folder) {
  const Stored stored = read_parts(folder, "scalar_model");
  Generator unused(0);
  ScalarModel model(Transformer(stored.config, unused), 0.0, unused);
  model.to(stored.type);
  fill(model.named_parameters(), stored);
  return model;
}

ActorCritic load_actor_critic(const fs::path& folder) {
  const Stored stored = read_parts(folder, "actor_critic");
  ActorCritic model(empty_causal_lm(stored));
  fill(model.named_parameters(), stored);
  return model;
}

}  // namespace rlhf::model
