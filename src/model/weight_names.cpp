#include "weight_names.hpp"

#include <fmt/format.h>

#include <map>

namespace rlhf::model {
namespace {

/// "prefix.3.name.weight"
auto of_layer(std::string prefix, std::string name) {
  return [prefix = std::move(prefix), name = std::move(name)](int64_t layer) {
    return fmt::format("{}.{}.{}.weight", prefix, layer, name);
  };
}

}  // namespace

double numbers_of(const TransformerConfig& c) {
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  const double layer =
      number(c.dim) *
      (2 * number(c.heads + c.key_heads()) * number(c.head_size()) + 3 * number(c.hidden_dim));
  return number(c.vocab_size) * number(c.dim) + number(c.layers) * layer +
         number(c.context_length) * number(c.head_size());
}

WeightNames hugging_face_names() {
  const std::string layers = "model.layers";
  return {.embedding = "model.embed_tokens.weight",
          .norm = "model.norm.weight",
          .output = "lm_head.weight",
          .attention_norm = of_layer(layers, "input_layernorm"),
          .query = of_layer(layers, "self_attn.q_proj"),
          .key = of_layer(layers, "self_attn.k_proj"),
          .value = of_layer(layers, "self_attn.v_proj"),
          .attention_out = of_layer(layers, "self_attn.o_proj"),
          .mlp_norm = of_layer(layers, "post_attention_layernorm"),
          .gate = of_layer(layers, "mlp.gate_proj"),
          .up = of_layer(layers, "mlp.up_proj"),
          .down = of_layer(layers, "mlp.down_proj")};
}

WeightNames gguf_names() {
  const std::string layers = "blk";
  return {.embedding = "token_embd.weight",
          .norm = "output_norm.weight",
          .output = "output.weight",
          .attention_norm = of_layer(layers, "attn_norm"),
          .query = of_layer(layers, "attn_q"),
          .key = of_layer(layers, "attn_k"),
          .value = of_layer(layers, "attn_v"),
          .attention_out = of_layer(layers, "attn_output"),
          .mlp_norm = of_layer(layers, "ffn_norm"),
          .gate = of_layer(layers, "ffn_gate"),
          .up = of_layer(layers, "ffn_up"),
          .down = of_layer(layers, "ffn_down")};
}

std::vector<WeightPart> weight_parts(const Transformer& trunk, const WeightNames& names) {
  const TransformerConfig& config = trunk.config();
  const int64_t queries = config.heads * config.head_size(),
                keys = config.key_heads() * config.head_size();
  std::map<std::string, Tensor> weights;
  for (const auto& [name, weight] : trunk.named_parameters()) weights[name] = weight.detach();
  std::vector<WeightPart> parts{{.name = names.embedding, .rows = weights.at("embedding")}};
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const auto own = [&](const char* name) {
      return weights.at(fmt::format("layers.{}.{}", layer, name));
    };
    const Tensor qkv = own("qkv"), gate_up = own("gate_up");
    parts.insert(
        parts.end(),
        {{.name = names.attention_norm(layer), .rows = own("attention_norm")},
         {.name = names.query(layer), .rows = qkv.narrow(0, 0, queries), .rotates = true},
         {.name = names.key(layer), .rows = qkv.narrow(0, queries, keys), .rotates = true},
         {.name = names.value(layer), .rows = qkv.narrow(0, queries + keys, keys)},
         {.name = names.attention_out(layer), .rows = own("attention_out")},
         {.name = names.mlp_norm(layer), .rows = own("mlp_norm")},
         {.name = names.gate(layer), .rows = gate_up.narrow(0, 0, config.hidden_dim)},
         {.name = names.up(layer), .rows = gate_up.narrow(0, config.hidden_dim, config.hidden_dim)},
         {.name = names.down(layer), .rows = own("down")}});
  }
  parts.push_back({.name = names.norm, .rows = weights.at("norm")});
  return parts;
}

Tensor halves_from_pairs(const Tensor& weight, int64_t head_size) {
  return weight.view({-1, head_size / 2, 2, weight.size(1)})
      .transpose(1, 2)
      .reshape(weight.sizes());
}

}  // namespace rlhf::model
