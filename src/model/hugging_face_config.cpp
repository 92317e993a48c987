#include "hugging_face_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "family.hpp"
#include "rlhf/core/error.hpp"

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

/// A window that is as long as any sequence is none.
void require_whole_attention(const ConfigFields& fields, int64_t context, bool window_counts) {
  if (window_counts && fields.has("sliding_window")) {
    require(fields.size("sliding_window") >= context, fields.place("sliding_window"),
            fmt::format("none, or at least max_position_embeddings = {}", context),
            fields.size("sliding_window"));
  }
  if (!fields.has("layer_types")) return;
  require(fields.value("layer_types").is_array(), fields.place("layer_types"), "an array",
          fields.value("layer_types").type_name());
  // Where the window counts it has been found long enough.
  for (const json& type : fields.value("layer_types")) {
    require(type == "full_attention" || (type == "sliding_attention" && window_counts),
            fields.place("layer_types"), "\"full_attention\" alone", type.dump());
  }
}

void read_rotation(const ConfigFields& fields, TransformerConfig& config) {
  // transformers 5 keeps all of the rotation in one object, 4 the base outside of it.
  const char* name = fields.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (fields.has("rope_theta")) config.rope_base = fields.number("rope_theta");
  if (!fields.has(name)) return;
  require(fields.value(name).is_object(), fields.place(name), "an object",
          fields.value(name).type_name());
  const ConfigFields rope(fields.value(name), fields.place(name));
  if (rope.has("rope_theta")) config.rope_base = rope.number("rope_theta");
  config.rope_scaling = scaling_of(rope);
}

/// Llama, Mistral, Qwen2 and Qwen3 differ by little.
TransformerConfig rotary_config(const ConfigFields& fields, const std::string& family) {
  fields.only("hidden_act", "silu");
  fields.only("attention_bias", false);
  fields.only("mlp_bias", false);
  TransformerConfig config{.vocab_size = fields.size("vocab_size"),
                           .dim = fields.size("hidden_size"),
                           .hidden_dim = fields.size("intermediate_size"),
                           .layers = fields.size("num_hidden_layers"),
                           .heads = fields.size("num_attention_heads"),
                           .context_length = fields.size("max_position_embeddings"),
                           .norm_epsilon = fields.number("rms_norm_eps"),
                           .bias = family == "qwen2" ? Bias::qkv : Bias::none,
                           .query_key_norm = family == "qwen3"};
  if (fields.has("num_key_value_heads")) config.kv_heads = fields.size("num_key_value_heads");
  if (family == "qwen3") config.head_dim = 128;  // what its absence means
  if (fields.has("head_dim")) config.head_dim = fields.size("head_dim");
  read_rotation(fields, config);
  const bool switched = family == "qwen2" || family == "qwen3";
  require_whole_attention(fields, config.context_length,
                          !switched || (fields.has("use_sliding_window") &&
                                        fields.value("use_sliding_window") == true));
  return config;
}

TransformerConfig gpt2_config(const ConfigFields& fields) {
  fields.only("activation_function", "gelu_new");
  fields.only("scale_attn_weights", true);
  fields.only("scale_attn_by_inverse_layer_idx", false);
  fields.only("add_cross_attention", false);
  TransformerConfig config{.vocab_size = fields.size("vocab_size"),
                           .dim = fields.size("n_embd"),
                           .layers = fields.size("n_layer"),
                           .heads = fields.size("n_head"),
                           .context_length = fields.size("n_positions"),
                           .norm_epsilon = fields.number("layer_norm_epsilon"),
                           .norm = NormKind::layer,
                           .activation = Activation::gelu,
                           .positions = Positions::learned,
                           .bias = Bias::all};
  config.hidden_dim = fields.has("n_inner") ? fields.size("n_inner") : 4 * config.dim;
  require(config.hidden_dim <= largest_dimension, fields.place("n_embd"),
          fmt::format("<= {}, as n_inner is four times as much", largest_dimension / 4),
          config.dim);
  return config;
}

struct Architecture {
  Family family;
  const char* model_type;
  const char* class_prefix;
};
constexpr std::array<Architecture, 4> architectures = {{{Family::llama, "llama", "Llama"},
                                                        {Family::qwen2, "qwen2", "Qwen2"},
                                                        {Family::qwen3, "qwen3", "Qwen3"},
                                                        {Family::gpt2, "gpt2", "GPT2"}}};

json rotary_fields(const TransformerConfig& config, Family family) {
  json rope = {{"rope_theta", config.rope_base}, {"rope_type", "default"}};
  if (const RopeScaling& scaling = config.rope_scaling; scaling.factor != 1) {
    rope["rope_type"] = "llama3";
    rope["factor"] = scaling.factor;
    rope["low_freq_factor"] = scaling.low;
    rope["high_freq_factor"] = scaling.high;
    rope["original_max_position_embeddings"] = scaling.original_context;
  }
  json all = {{"attention_bias", false},
              {"head_dim", config.head_size()},
              {"hidden_act", "silu"},
              {"hidden_size", config.dim},
              {"intermediate_size", config.hidden_dim},
              {"max_position_embeddings", config.context_length},
              {"num_attention_heads", config.heads},
              {"num_hidden_layers", config.layers},
              {"num_key_value_heads", config.key_heads()},
              {"rms_norm_eps", config.norm_epsilon},
              {"rope_parameters", rope},
              {"rope_theta", config.rope_base}};
  if (family == Family::llama) all["mlp_bias"] = false;
  if (family == Family::qwen2) all.erase("attention_bias");  // always on queries, keys and values
  if (family == Family::qwen2 || family == Family::qwen3) all["use_sliding_window"] = false;
  if (config.rope_scaling.factor != 1) all["rope_scaling"] = rope;  // transformers 4
  return all;
}

json gpt2_fields(const TransformerConfig& config) {
  return {{"activation_function", "gelu_new"},
          {"layer_norm_epsilon", config.norm_epsilon},
          {"n_embd", config.dim},
          {"n_head", config.heads},
          {"n_inner", config.hidden_dim},
          {"n_layer", config.layers},
          {"n_positions", config.context_length}};
}

}  // namespace

TransformerConfig transformer_config_of(const json& object, const std::string& place) {
  const ConfigFields fields(object, place);
  const json& type = fields.value("model_type");
  const std::string family = type.is_string() ? type.get<std::string>() : type.dump();
  const bool rotary =
      family == "llama" || family == "mistral" || family == "qwen2" || family == "qwen3";
  require(rotary || family == "gpt2", fields.place("model_type"),
          "llama, mistral, qwen2, qwen3 or gpt2", type.dump());
  TransformerConfig config = rotary ? rotary_config(fields, family) : gpt2_config(fields);
  const bool tied = fields.has("tie_word_embeddings") ? fields.value("tie_word_embeddings") == true
                                                      : family == "gpt2";
  config.output_layer = tied ? OutputLayer::tied : OutputLayer::separate;
  try {
    config.validate();
  } catch (const Error& error) {
    fail(fmt::format("{}: {}", place, error.what()));
  }
  if (rotary) config.head_dim = config.head_size();  // as it is written
  return config;
}

json hugging_face_config(const TransformerConfig& config, const std::string& head) {
  const Family family = family_of(config);
  const auto* known = std::ranges::find(architectures, family, &Architecture::family);
  json all = family == Family::gpt2 ? gpt2_fields(config) : rotary_fields(config, family);
  all["architectures"] = {known->class_prefix + head};
  all["model_type"] = known->model_type;
  all["dtype"] = all["torch_dtype"] = "float32";
  all["tie_word_embeddings"] = config.output_layer == OutputLayer::tied;
  all["vocab_size"] = config.vocab_size;
  return all;
}

}  // namespace rlhf::model
