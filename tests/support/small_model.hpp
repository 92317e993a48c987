/// A language model small enough for every test, and a ragged batch that fits it.
#pragma once

#include "rlhf/model/causal_lm.hpp"

namespace rlhf::test {

inline TransformerConfig small_config() {
  return {.vocab_size = 17,
          .dim = 16,
          .hidden_dim = 24,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .context_length = 32};
}

inline Completions ragged_batch() {
  return completions_from({{1, 2, 3}, {4}, {5, 6, 7, 8}}, {{7, 8}, {9, 10, 11, 12}, {12}});
}

/// Larger weights than at initialisation, so that positions and heads matter.
inline CausalLM sharp_model(const TransformerConfig& config = small_config()) {
  Generator generator(3);
  CausalLM model(config, generator);
  NoGrad no_grad;
  for (auto& [name, weight] : model.named_parameters()) {
    if (weight.dim() == 2) weight.mul_(12.0);
  }
  return model;
}

}  // namespace rlhf::test
