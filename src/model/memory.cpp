#include "rlhf/model/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "fused_step.hpp"
#include "logits.hpp"
#include "lora_modules.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::model {
namespace {

constexpr int64_t number_bytes = sizeof(float);

/// Numbers in the weights of a trunk: what the constructor of Transformer makes.
struct Numbers {
  const TransformerConfig& config;
  DecoderShape shape = decoder_shape(config);

  int64_t norm() const { return config.dim * (config.norm == NormKind::layer ? 2 : 1); }
  int64_t matrices() const {
    return config.dim *
           (shape.qkv_width() + shape.mixed_width() + shape.gate_up_width() + shape.hidden_dim);
  }
  int64_t layer() const {
    int64_t sum = matrices() + 2 * norm();
    if (config.bias != Bias::none) sum += shape.qkv_width();
    if (config.bias == Bias::all) sum += 2 * shape.dim + shape.gate_up_width();
    return sum + (shape.query_key_norm ? 2 * shape.head_size : 0);
  }
  int64_t embedding() const { return config.vocab_size * config.dim; }
  int64_t below_layers() const {
    return embedding() + (shape.rotary ? 0 : config.context_length * config.dim);
  }
  int64_t above_layers(Head head) const {
    if (head == Head::scalar) return norm() + config.dim + 1;
    return norm() + (config.output_layer == OutputLayer::separate ? embedding() : 0);
  }
  int64_t rotary_tables() const {
    return shape.rotary ? config.context_length * shape.head_size : 0;
  }
};

/// Numbers in the adapters and in what decoding packs of them, the lowest layer that has some, and
/// columns of their inner results.
struct AdapterNumbers {
  int64_t all = 0, decoding = 0, first_layer = 0, low_width = 0;
};

AdapterNumbers adapter_numbers(const TransformerConfig& config, const LoraOptions& options) {
  const DecoderShape shape = decoder_shape(config);
  const Adapters adapters = adapters_of(config, options);
  const std::array<int64_t, 4> inputs{shape.dim, shape.mixed_width(), shape.dim, shape.hidden_dim};
  const std::array<int64_t, 4> outputs{shape.qkv_width(), shape.dim, shape.gate_up_width(),
                                       shape.dim};
  AdapterNumbers numbers{.first_layer = config.layers};
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (size_t which = 0; which < inputs.size(); ++which) {
      const auto& parts = adapters.parts(layer, static_cast<Adapted>(which));
      if (parts.empty()) continue;
      const auto count = static_cast<int64_t>(parts.size());
      numbers.first_layer = std::min(numbers.first_layer, layer);
      numbers.low_width = std::max(numbers.low_width, count * options.rank);
      numbers.all += count * options.rank * inputs[which];
      numbers.decoding += count * options.rank * (inputs[which] + outputs[which]);
      for (const AdapterPart& part : parts) numbers.all += part.rows * options.rank;
    }
  }
  return numbers;
}

/// Numbers that a layer leaves for the way back: fused::Activations.
int64_t kept_by_layer(const DecoderShape& s, int64_t tokens, int64_t rows) {
  const int64_t normed_heads = s.query_key_norm ? (s.heads + s.kv_heads) * (s.head_size + 1) : 0;
  return tokens * (1 + s.qkv_width() + normed_heads + s.mixed_width() + s.heads) +
         rows * (1 + 2 * s.dim + s.gate_up_width());
}

/// Room of so many packed numbers, in float32's.
int64_t packed_numbers(const MemoryPlan& plan, int64_t numbers) {
  return plan.precision == Precision::bfloat16 ? numbers / 2 : numbers;
}

/// Numbers of the layer that a pass has packed: fused::LayerPacks.
int64_t packed_layer(const Numbers& numbers, const MemoryPlan& plan) {
  if (plan.precision == Precision::bfloat16 && plan.lora) return 0;  // they are packed for good
  return packed_numbers(plan, numbers.matrices());
}

/// Numbers of scratch on the way back: what fused::BackwardPass makes, but for a block a thread.
int64_t backward_scratch(const DecoderShape& s, const MemoryPlan& plan, int64_t tokens,
                         int64_t rows, int64_t low_width) {
  const int64_t gathered = rows < tokens ? rows * (s.dim + 2 * s.mixed_width()) : 0;
  const int64_t gradients = 2 * s.dim + s.mixed_width() + s.qkv_width();
  const int64_t inside = s.hidden_dim + s.gate_up_width();
  if (plan.lora) {  // adapters learn from what is made
    return tokens * (gradients + 2 * s.dim + inside + 8 * low_width) + gathered;
  }
  const int64_t operands = 4 * s.dim + s.qkv_width() + s.mixed_width() + inside;  // of the weights
  return tokens * gradients + packed_numbers(plan, tokens * operands) + gathered;
}

/// @param first  the lowest layer that a gradient passes
int64_t activation_numbers(const Numbers& numbers, const MemoryPlan& plan, int64_t first,
                           int64_t low_width) {
  const TransformerConfig& config = numbers.config;
  const DecoderShape& s = numbers.shape;
  const int64_t tokens = plan.pass_tokens, rows = plan.pass_outputs;
  // fused::make_activations(), of the layers that are not frozen.
  const int64_t last = config.layers - plan.frozen_layers - 1;
  const int64_t lowest = std::max<int64_t>(1, first - plan.frozen_layers);
  const int64_t more = std::max<int64_t>(0, last - lowest);  // sets beside the first
  int64_t sum = last > 0 ? kept_by_layer(s, tokens, tokens) : 0;
  sum += more * (plan.checkpoints ? tokens * s.dim : kept_by_layer(s, tokens, tokens));
  sum += kept_by_layer(s, tokens, rows);
  sum += (tokens + 2 * rows) * s.dim;  // the first layer's input; the result and its gradient
  sum += backward_scratch(s, plan, tokens, rows, low_width);
  return sum + (plan.checkpoints ? 2 : 1) * packed_layer(numbers, plan);
}

/// Logits that are kept for the way back, what the output layer's gradient is made of, and its
/// weight as the products read it: what token_log_probs() makes.
int64_t logit_numbers(const Numbers& numbers, const MemoryPlan& plan, bool learns) {
  const int64_t logits = plan.pass_outputs * numbers.config.vocab_size;
  const bool kept = logits <= most_logits_kept;
  int64_t sum = kept ? logits : 0;
  if (learns) sum += packed_numbers(plan, std::min(logits, most_logits_made));
  const bool packed_before = plan.precision == Precision::bfloat16 && !learns;
  if (!packed_before && numbers.embedding() <= most_output_numbers_packed) {
    sum += packed_numbers(plan, numbers.embedding()) * (kept ? 1 : 2);
  }
  return sum;
}

/// Reading prompts: all at a time, layers one after the other in the same memory.
int64_t prompt_numbers(const Numbers& numbers, const MemoryPlan& plan) {
  const DecoderShape& s = numbers.shape;
  const int64_t tokens = plan.prompt_tokens;
  return 2 * kept_by_layer(s, tokens, tokens) - tokens * (s.dim + 1 + s.gate_up_width()) +
         packed_layer(numbers, plan);
}

/// Bytes of the copies in bfloat16 of what does not learn: one, and where gradients pass another.
int64_t packed_bytes(const Numbers& numbers, const MemoryPlan& plan, int64_t first) {
  if (plan.precision != Precision::bfloat16) return 0;
  const TransformerConfig& config = numbers.config;
  const bool learns = plan.pass_tokens > 0;
  const int64_t still = plan.lora ? config.layers : plan.frozen_layers;
  const int64_t passed = learns ? std::max<int64_t>(0, still - first) : 0;
  int64_t copies = (still + passed) * numbers.matrices();
  const bool output_is_still =
      still == config.layers || (still > 0 && config.output_layer == OutputLayer::tied);
  if (plan.head == Head::language && output_is_still) {
    copies += numbers.embedding() * (learns ? 2 : 1);
  }
  return 2 * copies;
}

void validate(const TransformerConfig& config, const MemoryPlan& plan) {
  config.validate();
  require(plan.frozen_layers >= 0 && plan.frozen_layers < config.layers,
          "MemoryPlan::frozen_layers", ">= 0 and < layers = " + std::to_string(config.layers),
          plan.frozen_layers);
  require_known(plan.precision, Precision::bfloat16, "MemoryPlan::precision",
                "float32 or bfloat16");
  const auto count = [](const char* name, int64_t value) {
    constexpr int64_t most = int64_t{1} << 40;  // of any: sums of products stay in range
    require(value >= 0 && value <= most, fmt::format("MemoryPlan::{}", name),
            fmt::format("0 to {}", most), value);
  };
  count("pass_tokens", plan.pass_tokens);
  count("pass_outputs", plan.pass_outputs);
  count("passes", plan.passes);
  count("remembered_tokens", plan.remembered_tokens);
  count("prompt_tokens", plan.prompt_tokens);
  count("cache_rows", plan.cache_rows);
  count("cache_tokens", plan.cache_tokens);
  require(plan.pass_outputs <= plan.pass_tokens, "MemoryPlan::pass_outputs",
          "<= pass_tokens = " + std::to_string(plan.pass_tokens), plan.pass_outputs);
  if (!plan.lora) return;
  plan.lora->validate();
  require_above(*plan.lora, plan.frozen_layers, config);
}

}  // namespace

MemoryEstimate estimate_memory(const TransformerConfig& config, const MemoryPlan& plan) {
  validate(config, plan);
  const Numbers numbers{.config = config};
  const DecoderShape& shape = numbers.shape;
  const auto bytes = [](int64_t count) { return count * number_bytes; };
  const int64_t frozen =
      plan.frozen_layers > 0 ? numbers.below_layers() + plan.frozen_layers * numbers.layer() : 0;
  const int64_t all =
      numbers.below_layers() + config.layers * numbers.layer() + numbers.above_layers(plan.head);

  MemoryEstimate estimate{.weights = bytes(all + numbers.rotary_tables())};
  AdapterNumbers adapters{.first_layer = plan.frozen_layers};
  int64_t learnt = all - frozen;
  if (plan.lora) {
    adapters = adapter_numbers(config, *plan.lora);
    const int64_t head = plan.head == Head::scalar ? config.dim + 1 : 0;
    learnt = adapters.all + head;
    estimate.adapters = bytes(adapters.all);
    estimate.merged_copy = bytes(all);
    estimate.shared_weights = estimate.weights - bytes(head);
  } else {
    estimate.shared_weights = bytes(frozen + numbers.rotary_tables());
  }
  estimate.packed_weights = packed_bytes(numbers, plan, adapters.first_layer);
  if (plan.frozen_layers > 0) {
    estimate.frozen_states =
        std::min(Transformer::most_remembered, plan.remembered_tokens * bytes(config.dim));
  }
  if (plan.pass_tokens > 0) {
    estimate.moments = 2 * bytes(learnt);
    estimate.gradients = bytes(learnt);
    estimate.arriving_gradients = plan.passes > 1 ? bytes(learnt) : 0;
    // A tied embedding's gradient is the sum of two.
    if (!plan.lora && frozen == 0 && plan.head == Head::language &&
        config.output_layer == OutputLayer::tied) {
      estimate.arriving_gradients += bytes(numbers.embedding());
    }
    estimate.activations =
        bytes(activation_numbers(numbers, plan, adapters.first_layer, adapters.low_width));
    if (plan.head == Head::language) {
      const bool learns = !plan.lora && (frozen == 0 || config.output_layer != OutputLayer::tied);
      estimate.logits = bytes(logit_numbers(numbers, plan, learns));
    }
  }
  if (plan.cache_rows > 0) {
    // Adapters stand beside weights that are read where they lie.
    estimate.decoding_copy = bytes(
        plan.lora ? adapters.decoding : config.layers * numbers.matrices() + numbers.embedding());
    estimate.prompt_pass = bytes(prompt_numbers(numbers, plan));
    const int64_t capacity = cache_capacity(std::min(plan.cache_tokens, config.context_length));
    estimate.kv_cache =
        bytes(plan.cache_rows * capacity * 2 * config.layers * shape.kv_heads * shape.head_size);
    estimate.step_logits = 2 * bytes(plan.cache_rows * config.vocab_size);
  }
  return estimate;
}

std::vector<MemoryPart> MemoryEstimate::parts() const {
  std::vector<MemoryPart> all{{"weights", weights},
                              {"weights, packed in bfloat16", packed_weights},
                              {"adapters", adapters},
                              {"optimizer moments", moments},
                              {"remembered frozen states", frozen_states},
                              {"learning: gradients", gradients},
                              {"learning: gradients that arrive", arriving_gradients},
                              {"learning: activations of a pass", activations},
                              {"learning: logits", logits},
                              {"sampling: copy packed for decoding", decoding_copy},
                              {"sampling: pass over the prompts", prompt_pass},
                              {"sampling: KV cache", kv_cache},
                              {"sampling: logits", step_logits},
                              {"saving: merged copy of the weights", merged_copy}};
  std::erase_if(all, [](const MemoryPart& part) { return part.bytes == 0; });
  return all;
}

}  // namespace rlhf::model
