#include "weight_names.hpp"

#include <fmt/format.h>

#include "lora_modules.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::model {
namespace {

using Names = std::map<std::string, std::vector<std::string>>;

/// The names of these weights' biases beside them: "qkv_bias" of "qkv".
void add_biases(Names& names, std::initializer_list<const char*> weights) {
  for (const char* weight : weights) {
    std::vector<std::string>& biases = names[std::string(weight) + "_bias"];
    for (const std::string& name : names.at(weight)) {
      biases.push_back(name.substr(0, name.rfind('.')) + ".bias");
    }
  }
}

}  // namespace

double numbers_of(const TransformerConfig& c) {
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  const double mlp_matrices = c.activation == Activation::swiglu ? 3 : 2;
  const double layer =
      number(c.dim) * (2 * number(c.heads + c.key_heads()) * number(c.head_size()) +
                       mlp_matrices * number(c.hidden_dim));
  const int64_t place_width = c.positions == Positions::learned ? c.dim : c.head_size();
  return number(c.vocab_size) * number(c.dim) + number(c.layers) * layer +
         number(c.context_length) * number(place_width);
}

std::vector<int64_t> WeightPart::shape() const {
  std::vector<int64_t> sizes = rows.sizes().vec();
  if (transposed) std::swap(sizes[0], sizes[1]);
  return sizes;
}

std::string WeightNames::layer(int64_t layer, const std::string& name) const {
  return fmt::format("{}{}.{}", before_layer, layer, name);
}

WeightNames hugging_face_names(Family family) {
  return hugging_face_names(family, family == Family::gpt2 ? "transformer." : "model.");
}

WeightNames hugging_face_names(Family family, const std::string& prefix) {
  if (family == Family::gpt2) {
    WeightNames names{.of_model = {{"embedding", prefix + "wte.weight"},
                                   {"positions", prefix + "wpe.weight"},
                                   {"norm", prefix + "ln_f.weight"},
                                   {"norm_bias", prefix + "ln_f.bias"},
                                   {"output", "lm_head.weight"}},
                      .before_layer = prefix + "h.",
                      .of_layer = {{"attention_norm", {"ln_1.weight"}},
                                   {"qkv", {"attn.c_attn.weight"}},
                                   {"attention_out", {"attn.c_proj.weight"}},
                                   {"mlp_norm", {"ln_2.weight"}},
                                   {"gate_up", {"mlp.c_fc.weight"}},
                                   {"down", {"mlp.c_proj.weight"}}},
                      .transposed = true};
    add_biases(names.of_layer,
               {"attention_norm", "qkv", "attention_out", "mlp_norm", "gate_up", "down"});
    return names;
  }
  WeightNames names{.of_model = {{"embedding", prefix + "embed_tokens.weight"},
                                 {"norm", prefix + "norm.weight"},
                                 {"output", "lm_head.weight"}},
                    .before_layer = prefix + "layers.",
                    .of_layer = {{"attention_norm", {"input_layernorm.weight"}},
                                 {"qkv",
                                  {"self_attn.q_proj.weight", "self_attn.k_proj.weight",
                                   "self_attn.v_proj.weight"}},
                                 {"query_norm", {"self_attn.q_norm.weight"}},
                                 {"key_norm", {"self_attn.k_norm.weight"}},
                                 {"attention_out", {"self_attn.o_proj.weight"}},
                                 {"mlp_norm", {"post_attention_layernorm.weight"}},
                                 {"gate_up", {"mlp.gate_proj.weight", "mlp.up_proj.weight"}},
                                 {"down", {"mlp.down_proj.weight"}}}};
  add_biases(names.of_layer, {"qkv"});
  return names;
}

WeightNames gguf_names() {
  WeightNames names{.of_model = {{"embedding", "token_embd.weight"},
                                 {"norm", "output_norm.weight"},
                                 {"output", "output.weight"}},
                    .before_layer = "blk.",
                    .of_layer = {{"attention_norm", {"attn_norm.weight"}},
                                 {"qkv", {"attn_q.weight", "attn_k.weight", "attn_v.weight"}},
                                 {"query_norm", {"attn_q_norm.weight"}},
                                 {"key_norm", {"attn_k_norm.weight"}},
                                 {"attention_out", {"attn_output.weight"}},
                                 {"mlp_norm", {"ffn_norm.weight"}},
                                 {"gate_up", {"ffn_gate.weight", "ffn_up.weight"}},
                                 {"down", {"ffn_down.weight"}}}};
  add_biases(names.of_layer, {"qkv"});
  return names;
}

std::vector<NamedRows> rows_there(const TransformerConfig& config, const WeightNames& names,
                                  int64_t layer, const std::string& weight) {
  const int64_t queries = config.heads * config.head_size(),
                keys = config.key_heads() * config.head_size(), inside = config.hidden_dim;
  const std::vector<std::string>& theirs = names.of_layer.at(weight);
  std::vector<int64_t> rows{config.dim};
  if (weight.starts_with("qkv")) rows = {queries, keys, keys};
  if (weight.starts_with("gate_up")) rows.assign(theirs.size(), inside);
  if (weight == "query_norm" || weight == "key_norm") rows = {config.head_size()};
  if (theirs.size() < rows.size()) rows = {queries + 2 * keys};
  std::vector<NamedRows> parts;
  for (size_t i = 0; i < theirs.size(); ++i) {
    parts.push_back({.name = names.layer(layer, theirs[i]), .rows = rows[i]});
  }
  return parts;
}

std::vector<WeightPart> weight_parts(const Transformer& trunk, const WeightNames& names) {
  require_no_adapters(trunk);
  const std::string layers = "layers.";
  std::vector<WeightPart> parts;
  for (const auto& [ours, parameter] : trunk.named_parameters()) {
    const Tensor weight = parameter.detach();
    if (!ours.starts_with(layers)) {
      parts.push_back({.name = names.of_model.at(ours), .rows = weight});
      continue;
    }
    const size_t dot = ours.find('.', layers.size());
    const int64_t layer = std::stoll(ours.substr(layers.size()));
    const std::string own = ours.substr(dot + 1);
    const std::vector<NamedRows> theirs = rows_there(trunk.config(), names, layer, own);
    int64_t begin = 0;
    for (size_t i = 0; i < theirs.size(); ++i) {
      parts.push_back({.name = theirs[i].name,
                       .rows = weight.narrow(0, begin, theirs[i].rows),
                       .transposed = names.transposed && weight.dim() == 2,
                       .rotates = theirs.size() == 3 && i < 2});
      begin += theirs[i].rows;
    }
  }
  return parts;
}

Tensor halves_from_pairs(const Tensor& weight, int64_t head_size) {
  return weight.view({weight.size(0) / head_size, head_size / 2, 2, -1})
      .transpose(1, 2)
      .reshape(weight.sizes());
}

}  // namespace rlhf::model
