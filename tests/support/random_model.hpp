/// Models of random shape and parts, and batches that fit them, a function of the generator alone.
#pragma once

#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/model/causal_lm.hpp"

namespace rlhf::test {

inline TransformerConfig random_config(Generator& generator) {
  const int64_t kv_heads = 1 + generator.below(3), group = 1 + generator.below(3);
  TransformerConfig config;
  config.vocab_size = 20 + generator.below(30);
  config.hidden_dim = 1 + generator.below(70);
  config.layers = 1 + generator.below(3);
  config.heads = kv_heads * group;
  config.kv_heads = kv_heads;
  config.head_dim = 2 * (1 + generator.below(20));
  config.context_length = 160;
  config.output_layer = generator.below(2) == 0 ? OutputLayer::tied : OutputLayer::separate;
  config.dim = 1 + generator.below(70);
  switch (generator.below(6)) {
    case 0:
      config.bias = Bias::qkv;  // Qwen2
      break;
    case 1:
      config.query_key_norm = true;  // Qwen3
      break;
    case 2:  // GPT-2
      config.kv_heads = 0;
      config.dim = config.heads * config.head_dim;
      config.norm = NormKind::layer;
      config.activation = Activation::gelu;
      config.positions = Positions::learned;
      config.bias = Bias::all;
      break;
    case 3:  // what nobody has
      config.norm = generator.below(2) == 0 ? NormKind::layer : NormKind::rms;
      config.activation = generator.below(2) == 0 ? Activation::gelu : Activation::swiglu;
      config.positions = generator.below(2) == 0 ? Positions::learned : Positions::rotary;
      config.bias = generator.below(2) == 0 ? Bias::qkv : Bias::all;
      config.query_key_norm = true;
      break;
    default:  // Llama
      break;
  }
  return config;
}

inline Completions random_batch(int64_t vocab_size, Generator& generator) {
  std::vector<std::vector<int64_t>> prompts, responses;
  const int64_t longest = generator.below(3) == 0 ? 75 : 9;
  for (int64_t row = 1 + generator.below(5); row > 0; --row) {
    const auto tokens = [&](int64_t count) {
      std::vector<int64_t> drawn;
      for (int64_t i = 0; i < count; ++i) drawn.push_back(generator.below(vocab_size));
      return drawn;
    };
    prompts.push_back(tokens(1 + generator.below(longest)));
    responses.push_back(tokens(generator.below(longest)));
  }
  responses.back().push_back(1);  // some response token there must be
  return completions_from(prompts, responses);
}

/// Larger weights than at initialisation, so that positions and heads matter.
template <class M>
void sharpen(M& model, double factor) {
  NoGrad no_grad;
  for (auto& [name, weight] : model.named_parameters()) {
    if (weight.dim() == 2) weight.mul_(factor);
  }
}

}  // namespace rlhf::test
