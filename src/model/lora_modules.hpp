/// The linear layers that adapters stand beside, by their names in Hugging Face's files.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
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

/// Adapters that are in the weights, and set aside: their matrices, and where they lie.
struct MergedAdapters {
  std::shared_ptr<const Adapters> adapters;
  std::vector<std::array<std::pair<Tensor, Tensor>, 4>> matrices;  ///< A and B

  /// Each matrix by another, a leaf of its own.
  template <class Function>
  std::shared_ptr<const MergedAdapters> with(Function&& another) const {
    auto copy = std::make_shared<MergedAdapters>(*this);
    for (auto& layer : copy->matrices) {
      for (auto& [a, b] : layer) {
        for (Tensor* matrix : {&a, &b}) {
          if (matrix->defined()) *matrix = another(matrix->detach()).requires_grad_();
        }
      }
    }
    return copy;
  }
};

/// @throws Error where there are some: files of whole models have no place for them
void require_no_adapters(const Transformer& trunk);

/// @throws Error unless frozen <= first layer with adapters < layers
void require_above(const LoraOptions& options, int64_t frozen, const TransformerConfig& config);

/// Whether the family's files hold matrices as [in, out].
bool stores_transposed(const TransformerConfig& config);

}  // namespace rlhf::model
