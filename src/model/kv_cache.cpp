#include "rlhf/model/kv_cache.hpp"

#include "fused_step.hpp"

namespace rlhf {

void KvCache::keep(const Tensor& rows) {
  for (auto& layer : keys) layer = layer.index_select(0, rows.to(layer.device()));
  for (auto& layer : values) layer = layer.index_select(0, rows.to(layer.device()));
  std::vector<int64_t> kept;
  for (int64_t row : int64_vector(rows)) kept.push_back(lengths[static_cast<size_t>(row)]);
  lengths = std::move(kept);
}

void KvCache::reserve(int64_t tokens) {
  if (model::cache_capacity(tokens) <= capacity()) return;
  const auto grow = [&](Tensor& layer, int64_t dim) {
    std::vector<int64_t> sizes = layer.sizes().vec();
    const int64_t old =
        std::exchange(sizes[static_cast<size_t>(dim)], model::cache_capacity(tokens));
    Tensor larger = torch::zeros(sizes, layer.options());
    larger.narrow(dim, 0, old).copy_(layer);
    layer = larger;
  };
  for (Tensor& layer : keys) grow(layer, 3);
  for (Tensor& layer : values) grow(layer, 2);
}

}  // namespace rlhf
