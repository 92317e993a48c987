/// Which part of a model learns: all of it, adapters alone, or what is above its lowest layers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/program.hpp"
#include "rlhf/core/tensor.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/model/memory.hpp"
#include "rlhf/model/scalar_head.hpp"

namespace instructgpt {

struct TuningOptions {
  int64_t lora_rank = 0;  ///< 0: no adapters
  double lora_alpha = 32;
  std::vector<std::string> lora_targets = {};  ///< none: all linear layers
  int64_t freeze = 0;
  bool checkpointing = false;

  void add_to(Program& program);
  bool has_lora() const { return lora_rank > 0; }
  /// Adapters start above the frozen layers.
  rlhf::LoraOptions lora() const;
  /// @param folder  whose model it is, for messages
  /// @throws rlhf::Error naming the option that such a model cannot be trained with
  void require_fits(const rlhf::TransformerConfig& config, const std::string& folder) const;
  /// For an estimate of memory: what learns, without how much at a time.
  rlhf::model::MemoryPlan memory_plan(rlhf::Precision precision) const;

  /// Freezes and checkpoints layers; what is made of the trunk afterwards inherits both.
  void prepare(rlhf::Transformer& trunk) const;
  /// The model that learns, prepared: this one, or a view of it with adapters.
  rlhf::CausalLM policy_of(rlhf::CausalLM base, rlhf::Generator& generator) const;
};

}  // namespace instructgpt
