#include "family.hpp"

#include "rlhf/core/error.hpp"

namespace rlhf::model {

Family family_of(const TransformerConfig& c) {
  const bool rotary = c.norm == NormKind::rms && c.activation == Activation::swiglu &&
                      c.positions == Positions::rotary;
  if (rotary && c.bias == Bias::none) return c.query_key_norm ? Family::qwen3 : Family::llama;
  if (rotary && c.bias == Bias::qkv && !c.query_key_norm) return Family::qwen2;
  const bool gpt2 = c.norm == NormKind::layer && c.activation == Activation::gelu &&
                    c.positions == Positions::learned && c.bias == Bias::all && !c.query_key_norm &&
                    c.key_heads() == c.heads && c.heads * c.head_size() == c.dim;
  require(gpt2, "parts of the model", "those of a Llama, a Qwen2, a Qwen3 or a GPT-2",
          "a mixture that has no name");
  return Family::gpt2;
}

}  // namespace rlhf::model
