/// The linear layers that adapters stand beside, by their names in Hugging Face's files.
#pragma once

#include <string>
#include <vector>

#include "rlhf/model/transformer.hpp"

namespace rlhf::model {

/// One linear layer with an adapter, and its part of the stacked A and B.
struct AdaptedModule {
  std::string name;  ///< "model.layers.0.self_attn.q_proj"
  Tensor a, b;       ///< those of the whole product
  AdapterPart part;
};
std::vector<AdaptedModule> adapted_modules(const Transformer& trunk);

/// Which rows of which matrices the targets select in a model of this shape.
/// @throws Error naming a pattern that selects none
Adapters adapters_of(const TransformerConfig& config, const LoraOptions& options);

/// @throws Error unless frozen <= first layer with adapters < layers
void require_above(const LoraOptions& options, int64_t frozen, const TransformerConfig& config);

/// Whether the family's files hold matrices as [in, out].
bool stores_transposed(const TransformerConfig& config);

}  // namespace rlhf::model
