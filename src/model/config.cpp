#include "rlhf/model/config.hpp"

#include "rlhf/core/error.hpp"

namespace rlhf {

void TransformerConfig::validate() const {
  const auto positive = [](int64_t value, std::string_view name) {
    require(value >= 1, name, ">= 1", value);
  };
  positive(vocab_size, "TransformerConfig::vocab_size");
  positive(dim, "TransformerConfig::dim");
  positive(hidden_dim, "TransformerConfig::hidden_dim");
  positive(layers, "TransformerConfig::layers");
  positive(heads, "TransformerConfig::heads");
  positive(context_length, "TransformerConfig::context_length");
  require(kv_heads >= 0 && heads % key_heads() == 0, "TransformerConfig::kv_heads",
          "a divisor of heads (" + std::to_string(heads) + ")", kv_heads);
  require(head_dim > 0 || dim % heads == 0, "TransformerConfig::dim",
          "a multiple of heads (" + std::to_string(heads) + ")", dim);
  require(positions == Positions::learned || head_size() % 2 == 0, "TransformerConfig::head_dim",
          "an even number", head_size());
  require(rope_base > 0, "TransformerConfig::rope_base", "> 0", rope_base);
  require(rope_scaling.factor > 0, "TransformerConfig::rope_scaling.factor", "> 0",
          rope_scaling.factor);
  if (rope_scaling.factor != 1) {
    require(rope_scaling.low > 0 && rope_scaling.high > rope_scaling.low,
            "TransformerConfig::rope_scaling.high", "> low > 0", rope_scaling.high);
    require(rope_scaling.original_context >= 1, "TransformerConfig::rope_scaling.original_context",
            ">= 1", rope_scaling.original_context);
  }
  require(norm_epsilon > 0, "TransformerConfig::norm_epsilon", "> 0", norm_epsilon);
}

}  // namespace rlhf
