/// Low-rank adapters (LoRA): models that share one frozen base and learn a small product beside
/// some of its matrices.
///
///   const CausalLM base = model::load_hugging_face("SmolLM2-135M-Instruct");
///   CausalLM policy = base.with_adapters({.rank = 16, .alpha = 32}, generator);
///   const Frozen reference{base.view()};            // the same weights, no adapters
///   ... train policy ...
///   model::save_lora("out/adapter", policy);        // PEFT reads it
///
/// Source: Hu et al. 2021, arXiv 2106.09685: y = W x + alpha / rank * B A x.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace rlhf {

struct LoraOptions {
  int64_t rank = 8;
  double alpha = 16;  ///< the product is scaled by alpha / rank
  /// Which linear layers: regular expressions (PCRE2) for their names in Hugging Face's files, each
  /// of the last part, as "q_proj" or "(gate|up)_proj", or of the whole, as
  /// "model.layers.1..self_attn.*". "all-linear" is all of them but the output layer.
  std::vector<std::string> targets = {"all-linear"};
  int64_t first_layer = 0;  ///< layers below have no adapters (PEFT's layers_to_transform)

  double scale() const { return alpha / static_cast<double>(rank); }
  /// @throws Error naming the field
  void validate() const;
  bool operator==(const LoraOptions&) const = default;
};

namespace model {

/// The products that may have adapters beside them.
enum class Adapted : uint8_t { qkv, attention_out, gate_up, down };

/// Which rows of a product's result an adapter adds to, and where its matrices are: the stacked A
/// holds those of all parts, rank rows each, and so does B, `rows` each.
struct AdapterPart {
  int64_t begin = 0, rows = 0;
  int64_t row_of_a = 0;  ///< the column of A x, too
  int64_t row_of_b = 0;
};

/// Where a trunk's adapters lie.
struct Adapters {
  LoraOptions options;
  std::vector<std::array<std::vector<AdapterPart>, 4>> layers;  ///< by layer and Adapted

  const std::vector<AdapterPart>& parts(int64_t layer, Adapted which) const {
    return layers[static_cast<size_t>(layer)][static_cast<size_t>(which)];
  }
};

}  // namespace model
}  // namespace rlhf
