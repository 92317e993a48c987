#include "common/tuning.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"

namespace instructgpt {

using rlhf::require;

void TuningOptions::add_to(Program& program) {
  Group group = program.group("What learns");
  group
      .add("--lora-rank", lora_rank,
           "rank of low-rank adapters, which learn in place of the weights; 0: all weights learn",
           "0, as TRL without use_peft; Hu 2021: 4 to 64")
      ->check(CLI::NonNegativeNumber);
  group
      .add("--lora-alpha", lora_alpha, "what the adapters add is scaled by alpha / rank",
           "TRL: 32 with use_peft")
      ->check(CLI::PositiveNumber);
  group
      .add("--lora-targets", lora_targets,
           "which linear layers have adapters: a pattern of their names, as q_proj or "
           "(gate|up)_proj; none: all. Repeat it for more",
           "all linear layers, Dettmers 2023; PEFT: q_proj and v_proj")
      ->type_name("PATTERN")
      ->take_all();
  group
      .add("--freeze", freeze,
           "lowest layers that stay as they are, embedding too; what they make of a sequence is "
           "remembered",
           "0, as TRL; trlX: num_layers_unfrozen")
      ->check(CLI::NonNegativeNumber);
  group.flag("--checkpointing", checkpointing,
             "keep each layer's input alone and run the layer again on the way back: less memory, "
             "a fifth more time",
             "off; TRL: on");
}

rlhf::LoraOptions TuningOptions::lora() const {
  rlhf::LoraOptions options{.rank = lora_rank, .alpha = lora_alpha, .first_layer = freeze};
  if (!lora_targets.empty()) options.targets = lora_targets;
  return options;
}

void TuningOptions::require_fits(const rlhf::TransformerConfig& config,
                                 const std::string& folder) const {
  require(freeze < config.layers, "--freeze",
          fmt::format("< {}, the layers of {}", config.layers, folder), freeze);
  require(has_lora() || lora_targets.empty(), "--lora-targets", "none without --lora-rank",
          fmt::format("{}", fmt::join(lora_targets, " ")));
  if (!has_lora()) return;
  try {
    rlhf::model::estimate_memory(config, memory_plan(rlhf::Precision::float32));
  } catch (const rlhf::Error& error) {
    const std::string ours = "LoraOptions::targets", message = error.what();
    if (!message.starts_with(ours)) throw;
    throw rlhf::Error("--lora-targets" + message.substr(ours.size()));
  }
}

rlhf::model::MemoryPlan TuningOptions::memory_plan(rlhf::Precision precision) const {
  rlhf::model::MemoryPlan plan{
      .frozen_layers = freeze, .checkpoints = checkpointing, .precision = precision};
  if (has_lora()) plan.lora = lora();
  return plan;
}

void TuningOptions::prepare(rlhf::Transformer& trunk) const {
  if (freeze > 0) trunk.freeze_lowest(freeze);
  trunk.checkpoint_layers(checkpointing);
}

rlhf::CausalLM TuningOptions::policy_of(rlhf::CausalLM base, rlhf::Generator& generator) const {
  prepare(base.trunk());
  return has_lora() ? base.with_adapters(lora(), generator) : std::move(base);
}

}  // namespace instructgpt
