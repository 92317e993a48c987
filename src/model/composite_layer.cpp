#include "composite_layer.hpp"

#include "rlhf/model/layers.hpp"

namespace rlhf::model::composite {

Tensor norm(const TransformerConfig& config, const Tensor& x, const Tensor& weight,
            const Tensor& bias) {
  return config.norm == NormKind::rms ? rms_norm(x, weight, config.norm_epsilon)
                                      : layer_norm(x, weight, bias, config.norm_epsilon);
}

Tensor qkv(const TransformerConfig& config, const TransformerBlock& block, const Tensor& x,
           const std::pair<Tensor, Tensor>& rotation) {
  const int64_t queries = config.heads, keys = config.key_heads(), size = config.head_size();
  Tensor heads = torch::linear(norm(config, x, block.attention_norm, block.attention_norm_bias),
                               block.qkv, block.qkv_bias)
                     .view({-1, queries + 2 * keys, size});
  if (config.query_key_norm) {
    heads =
        torch::cat({rms_norm(heads.narrow(1, 0, queries), block.query_norm, config.norm_epsilon),
                    rms_norm(heads.narrow(1, queries, keys), block.key_norm, config.norm_epsilon),
                    heads.narrow(1, queries + keys, keys)},
                   1);
  }
  if (config.positions == Positions::learned) return heads;
  return rotate(heads, queries + keys, rotation.first, rotation.second);
}

std::array<Tensor, 3> split_heads(const TransformerConfig& config, const Tensor& padded) {
  const auto parts =
      padded.split_with_sizes({config.heads, config.key_heads(), config.key_heads()}, 2);
  return {parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2)};
}

Tensor causal_attention(const TransformerConfig& config, const Tensor& qkv,
                        const SequenceLayout& layout) {
  const auto [q, k, v] = split_heads(config, pad(qkv, layout));
  const Tensor mixed = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true, {},
                                                        config.heads != config.key_heads());
  return unpad(mixed.transpose(1, 2).flatten(2), layout);
}

Tensor after_attention(const TransformerConfig& config, const TransformerBlock& block,
                       const Tensor& x, const Tensor& mixed) {
  const Tensor middle = x + torch::linear(mixed, block.attention_out, block.attention_out_bias);
  const Tensor gate_up = torch::linear(norm(config, middle, block.mlp_norm, block.mlp_norm_bias),
                                       block.gate_up, block.gate_up_bias);
  const Tensor inside =
      config.activation == Activation::swiglu ? model::swiglu(gate_up) : model::gelu(gate_up);
  return middle + torch::linear(inside, block.down, block.down_bias);
}

}  // namespace rlhf::model::composite
