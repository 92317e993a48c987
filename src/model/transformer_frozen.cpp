#include "frozen_states.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/model/transformer.hpp"

namespace rlhf {

void Transformer::freeze_lowest(int64_t layers, int64_t bytes) {
  require(layers >= 1 && layers < config_.layers, "layers to freeze",
          ">= 1 and < layers = " + std::to_string(config_.layers), layers);
  require(bytes >= 0, "bytes of frozen states", ">= 0", bytes);
  for (int64_t layer = 0; adapters_ != nullptr && layer < layers; ++layer) {
    for (const auto& parts : adapters_->layers[static_cast<size_t>(layer)]) {
      require(parts.empty(), "adapters beside layers to freeze",
              "none below layer " + std::to_string(layers) + " (LoraOptions::first_layer)", layer);
    }
  }
  embedding_.requires_grad_(false);
  if (positions_.defined()) positions_.requires_grad_(false);
  for (int64_t layer = 0; layer < layers; ++layer) {
    for (const auto& field : TransformerBlock::fields) {
      const Tensor& weight = blocks_[static_cast<size_t>(layer)].*field.weight;
      if (weight.defined()) weight.requires_grad_(false);
    }
  }
  frozen_ = std::make_shared<model::FrozenStates>(layers, bytes);
}

int64_t Transformer::frozen_layers() const {
  return frozen_ == nullptr ? 0 : frozen_->layers();
}

void Transformer::forget_frozen_states() {
  if (frozen_) frozen_ = std::make_shared<model::FrozenStates>(frozen_->layers(), frozen_->bytes());
}

int64_t Transformer::frozen_version() const {
  int64_t version = 0;
  const auto count = [&](const Tensor& weight) {
    if (!weight.defined()) return;
    require(!weight.requires_grad(), "weight of a frozen layer", "one that does not learn",
            "requires_grad");
    version += weight._version();
  };
  count(embedding_);
  count(positions_);
  for (int64_t layer = 0; layer < frozen_->layers(); ++layer) {
    for (const auto& field : TransformerBlock::fields) {
      count(blocks_[static_cast<size_t>(layer)].*field.weight);
    }
  }
  return version;
}

Tensor Transformer::frozen_states(const Tensor& tokens, const model::SequenceLayout& layout) const {
  const auto compute = [&](const Tensor& missing, const std::vector<int64_t>& lengths) {
    const model::SequenceLayout own(lengths, missing.device());
    const Tensor all = torch::arange(own.tokens, missing.options());
    return run(embed(missing, own.positions), own, all, 0, frozen_->layers());
  };
  return frozen_->of(tokens, layout.lengths, static_cast<char>(precision_), frozen_version(),
                     compute);
}

}  // namespace rlhf
