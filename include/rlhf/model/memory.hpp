/// How much memory a model will take to train and to sample from, before it is made.
///
///   const model::MemoryEstimate needed = model::estimate_memory(
///       model::load_hugging_face_config("SmolLM2-135M"),
///       {.lora = LoraOptions{.rank = 16}, .pass_tokens = 4096, .pass_outputs = 4096});
///   for (const auto& [name, bytes] : needed.parts()) ...
///
/// Of float32 models on the CPU, where the fused kernels work.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/model/config.hpp"
#include "rlhf/model/lora.hpp"
#include "rlhf/model/precision.hpp"

namespace rlhf::model {

/// What stands on the trunk: the output layer of a language model, or one number.
enum class Head : uint8_t { language, scalar };

/// What is to be done with a model. Counts of 0: that is not done.
struct MemoryPlan {
  std::optional<LoraOptions> lora = {};  ///< as with_adapters() takes them; none: all weights learn
  int64_t frozen_layers = 0;             ///< as freeze_lowest() takes them
  bool checkpoints = false;              ///< as checkpoint_layers() takes it
  Head head = Head::language;
  Precision precision = Precision::float32;  ///< as compute_in() takes it; decoding is in float32
  int64_t pass_tokens = 0;                   ///< in the largest pass that learns
  int64_t pass_outputs = 0;                  ///< tokens of it that are predicted or scored
  int64_t passes = 1;  ///< in an optimizer step; from the second on, gradients are added up
  int64_t remembered_tokens = 0;  ///< that frozen layers see, each sequence once
  int64_t prompt_tokens = 0;      ///< that are read before sampling, all together
  int64_t cache_rows = 0;         ///< responses that grow at a time
  int64_t cache_tokens = 0;       ///< longest prompt and response together
};

struct MemoryPart {
  std::string name;
  int64_t bytes = 0;
};

/// Bytes of each part. Learning, sampling and saving take turns; the rest stays.
struct MemoryEstimate {
  int64_t weights = 0;
  int64_t shared_weights = 0;  ///< of these, what a clone shares or, with adapters, any view
  int64_t packed_weights = 0;  ///< in bfloat16: those that do not learn, a second time
  int64_t adapters = 0;
  int64_t moments = 0;        ///< of AdamW
  int64_t frozen_states = 0;  ///< what the frozen layers made of sequences, remembered

  int64_t gradients = 0;           ///< learning
  int64_t arriving_gradients = 0;  ///< of a pass, before they are added to those of others
  int64_t activations = 0;         ///< of one pass and its way back
  int64_t logits = 0;              ///< as many as are there at a time

  int64_t decoding_copy = 0;  ///< sampling: of weights or adapters, packed for one token at a time
  int64_t prompt_pass = 0;    ///< of the pass that reads the prompts
  int64_t kv_cache = 0;
  int64_t step_logits = 0;  ///< of one token more for all rows

  int64_t merged_copy = 0;  ///< at the end: of the weights with the adapters in them

  int64_t lasting() const { return weights + packed_weights + adapters + moments + frozen_states; }
  int64_t learning() const { return gradients + arriving_gradients + activations + logits; }
  int64_t sampling() const {
    // The prompts have been read when the first logits are made.
    return decoding_copy + kv_cache + std::max(prompt_pass, step_logits);
  }
  /// What must be there at a time.
  int64_t peak() const { return lasting() + std::max({learning(), sampling(), merged_copy}); }
  /// Those that are not 0, by name.
  std::vector<MemoryPart> parts() const;
};

/// @throws Error from config.validate() or lora->validate(), a pattern that selects nothing, frozen
///         layers that are not fewer than the layers
MemoryEstimate estimate_memory(const TransformerConfig& config, const MemoryPlan& plan);

}  // namespace rlhf::model
