#include "rlhf/model/kv_cache.hpp"

#include <algorithm>
#include <cstring>

#include "fused_step.hpp"

namespace rlhf {

namespace {

/// Whether each of these rows comes after the one before: some leave, the others close up.
bool increasing(const std::vector<int64_t>& rows) {
  return std::ranges::adjacent_find(rows, std::ranges::greater_equal{}) == rows.end();
}

/// The first rows become these, moved where they are; tokens [capacity] that are used alone.
void close_up(Tensor& layer, const std::vector<int64_t>& rows, int64_t used, int64_t capacity) {
  const int64_t heads = layer.size(1), head = layer.stride(1);
  const auto bytes = static_cast<size_t>(head / capacity * used) * sizeof(float);
  for (size_t to = 0; to < rows.size(); ++to) {
    if (rows[to] == static_cast<int64_t>(to)) continue;
    for (int64_t h = 0; h < heads; ++h) {
      std::memcpy(layer.data_ptr<float>() + (static_cast<int64_t>(to) * heads + h) * head,
                  layer.data_ptr<float>() + (rows[to] * heads + h) * head, bytes);
    }
  }
  layer = layer.narrow(0, 0, std::ssize(rows));
}

}  // namespace

void KvCache::keep(const Tensor& rows) {
  const std::vector<int64_t> chosen = int64_vector(rows);
  if (packed && increasing(chosen)) {
    const int64_t longest = *std::ranges::max_element(lengths), block = kernels::key_block;
    const int64_t used = (longest + block - 1) / block * block;
    for (auto& layer : keys) close_up(layer, chosen, used, capacity());
    for (auto& layer : values) close_up(layer, chosen, used, capacity());
  } else {
    for (auto& layer : keys) layer = layer.index_select(0, rows.to(layer.device()));
    for (auto& layer : values) layer = layer.index_select(0, rows.to(layer.device()));
  }
  std::vector<int64_t> kept;
  for (int64_t row : chosen) kept.push_back(lengths[static_cast<size_t>(row)]);
  lengths = std::move(kept);
}

void KvCache::reserve(int64_t tokens) {
  const int64_t before = capacity();
  if (model::cache_capacity(tokens) <= before) return;
  const auto grow = [&](Tensor& layer) {
    std::vector<int64_t> sizes = layer.sizes().vec();
    const int64_t old = sizes[2];
    sizes[2] = old * model::cache_capacity(tokens) / before;
    Tensor larger = torch::zeros(sizes, layer.options());
    larger.narrow(2, 0, old).copy_(layer);
    layer = larger;
  };
  for (Tensor& layer : keys) grow(layer);
  for (Tensor& layer : values) grow(layer);
}

}  // namespace rlhf
