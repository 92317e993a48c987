#include "hugging_face_config.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"
#include "weight_names.hpp"

namespace rlhf::model {
namespace {

using nlohmann::json;

/// ConfigFields of an object, each with a message that says where it stands.
class ConfigFields {
 public:
  ConfigFields(const json& object, std::string place) : object_(object), place_(std::move(place)) {}

  /// Missing and null are the same in these files.
  bool has(const char* name) const { return object_.contains(name) && !object_.at(name).is_null(); }
  std::string place(const char* name) const { return fmt::format("{}: {}", place_, name); }
  const json& value(const char* name) const {
    require(has(name), place_, fmt::format("a field {}", name), "none");
    return object_.at(name);
  }
  int64_t size(const char* name) const {
    const json& number = value(name);
    require(number.is_number_unsigned() && number.get<uint64_t>() <= uint64_t{largest_dimension},
            place(name), fmt::format("0 to {}", largest_dimension), number.dump());
    return number.get<int64_t>();
  }
  double number(const char* name) const {
    require(value(name).is_number(), place(name), "a number", value(name).dump());
    return value(name).get<double>();
  }
  /// Absent, or this.
  void only(const char* name, const json& wanted) const {
    require(!has(name) || value(name) == wanted, place(name), wanted.dump(),
            has(name) ? value(name).dump() : "none");
  }

 private:
  const json& object_;
  std::string place_;
};

RopeScaling scaling_of(const ConfigFields& rope) {
  const char* kind = rope.has("rope_type") ? "rope_type" : "type";
  if (!rope.has(kind) || rope.value(kind) == "default") return {};
  require(rope.value(kind) == "llama3", rope.place(kind), "default or llama3",
          rope.value(kind).dump());
  return {.factor = rope.number("factor"),
          .low = rope.number("low_freq_factor"),
          .high = rope.number("high_freq_factor"),
          .original_context = rope.size("original_max_position_embeddings")};
}

}  // namespace

TransformerConfig transformer_config_of(const json& object, const std::string& place) {
  const ConfigFields fields(object, place);
  const json& family = fields.value("model_type");
  require(family == "llama" || family == "mistral", fields.place("model_type"), "llama or mistral",
          family.dump());
  fields.only("hidden_act", "silu");
  fields.only("attention_bias", false);
  fields.only("mlp_bias", false);
  TransformerConfig config{.vocab_size = fields.size("vocab_size"),
                           .dim = fields.size("hidden_size"),
                           .hidden_dim = fields.size("intermediate_size"),
                           .layers = fields.size("num_hidden_layers"),
                           .heads = fields.size("num_attention_heads"),
                           .context_length = fields.size("max_position_embeddings"),
                           .norm_epsilon = fields.number("rms_norm_eps")};
  if (fields.has("num_key_value_heads")) config.kv_heads = fields.size("num_key_value_heads");
  if (fields.has("head_dim")) config.head_dim = fields.size("head_dim");
  // transformers 5 keeps all of the rotation in one object, 4 the base outside of it.
  const char* name = fields.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (fields.has("rope_theta")) config.rope_base = fields.number("rope_theta");
  if (fields.has(name)) {
    require(fields.value(name).is_object(), fields.place(name), "an object",
            fields.value(name).type_name());
    const ConfigFields rope(fields.value(name), fields.place(name));
    if (rope.has("rope_theta")) config.rope_base = rope.number("rope_theta");
    config.rope_scaling = scaling_of(rope);
  }
  if (fields.has("sliding_window")) {
    require(fields.size("sliding_window") >= config.context_length, fields.place("sliding_window"),
            fmt::format("none, or at least max_position_embeddings = {}", config.context_length),
            fields.size("sliding_window"));
  }
  const bool tied =
      fields.has("tie_word_embeddings") && fields.value("tie_word_embeddings") == true;
  config.output_layer = tied ? OutputLayer::tied : OutputLayer::separate;
  try {
    config.validate();
  } catch (const Error& error) {
    fail(fmt::format("{}: {}", place, error.what()));
  }
  return config;
}

json hugging_face_config(const TransformerConfig& config) {
  json rope = {{"rope_theta", config.rope_base}, {"rope_type", "default"}};
  if (const RopeScaling& scaling = config.rope_scaling; scaling.factor != 1) {
    rope["rope_type"] = "llama3";
    rope["factor"] = scaling.factor;
    rope["low_freq_factor"] = scaling.low;
    rope["high_freq_factor"] = scaling.high;
    rope["original_max_position_embeddings"] = scaling.original_context;
  }
  json all = {{"architectures", {"LlamaForCausalLM"}},
              {"model_type", "llama"},
              {"attention_bias", false},
              {"dtype", "float32"},
              {"head_dim", config.head_size()},
              {"hidden_act", "silu"},
              {"hidden_size", config.dim},
              {"intermediate_size", config.hidden_dim},
              {"max_position_embeddings", config.context_length},
              {"mlp_bias", false},
              {"num_attention_heads", config.heads},
              {"num_hidden_layers", config.layers},
              {"num_key_value_heads", config.key_heads()},
              {"rms_norm_eps", config.norm_epsilon},
              {"rope_parameters", rope},
              {"rope_theta", config.rope_base},
              {"tie_word_embeddings", config.output_layer == OutputLayer::tied},
              {"torch_dtype", "float32"},
              {"vocab_size", config.vocab_size}};
  if (config.rope_scaling.factor != 1) all["rope_scaling"] = rope;  // transformers 4
  return all;
}

}  // namespace rlhf::model
