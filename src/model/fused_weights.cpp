#include "fused_weights.hpp"

namespace rlhf::model::fused {

LayerPacks::LayerPacks(Way way, at::TensorList weights, const DecoderBatch& batch)
    : way_(way), weights_(weights), batch_(batch) {
  for (int64_t layer = 0; layer < batch.shape.layers; ++layer) {
    for (size_t which = 0; which < matrices.size(); ++which) {
      if (own_[which] || lasting(layer, static_cast<Adapted>(which)) != nullptr) continue;
      const Tensor& weight = Weights(weights, layer)[matrices[which]];
      const bool forward = way == Way::forward;
      own_[which].emplace(batch.number, weight.size(forward ? 0 : 1), weight.size(forward ? 1 : 0));
    }
  }
}

void LayerPacks::make(const kernels::Member& member, int64_t layer) {
  member.barrier();
  for (size_t which = 0; which < matrices.size(); ++which) {
    if (lasting(layer, static_cast<Adapted>(which)) != nullptr) continue;
    const Tensor& weight = Weights(weights_, layer)[matrices[which]];
    PackedMatrix& own = *own_[which];
    const auto [begin, end] = member.part(own.outputs, PackedMatrix::whole_outputs);
    own.fill(way_ == Way::forward ? rows_of(weight) : columns_of(weight), begin, end);
  }
  member.barrier();
}

const PackedMatrix* LayerPacks::at(int64_t layer, Adapted which) const {
  const PackedMatrix* const packed = lasting(layer, which);
  return packed != nullptr ? packed : &*own_[static_cast<size_t>(which)];
}

const PackedMatrix* LayerPacks::lasting(int64_t layer, Adapted which) const {
  const PackedPair& pair = batch_.packed_pair(layer, which);
  return way_ == Way::forward ? pair.forward.get() : pair.backward.get();
}

}  // namespace rlhf::model::fused
