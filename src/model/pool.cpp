#include "pool.hpp"

#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>

namespace rlhf::model {
namespace {

constexpr size_t smallest_pooled = size_t{1} << 16;  // bytes; malloc keeps smaller blocks itself
constexpr size_t most_waiting = size_t{1} << 28;

/// Four sizes an octave, so that batches of nearly the same shape share blocks.
size_t size_class(size_t bytes) {
  const size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

class Pool {
 public:
  void* take(size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      auto& blocks = waiting_[bytes];
      if (!blocks.empty()) {
        void* block = blocks.back();
        blocks.pop_back();
        total_ -= bytes;
        return block;
      }
    }
    return c10::alloc_cpu(bytes);
  }

  void give_back(void* block, size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      if (total_ + bytes <= most_waiting) {
        waiting_[bytes].push_back(block);
        total_ += bytes;
        return;
      }
    }
    c10::free_cpu(block);
  }

 private:
  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> waiting_;
  size_t total_ = 0;
};

Pool& pool() {
  static auto* const instance = new Pool;  // outlives every tensor, static ones too
  return *instance;
}

}  // namespace

Tensor pooled(at::IntArrayRef sizes) {
  const auto bytes = static_cast<size_t>(c10::multiply_integers(sizes)) * sizeof(float);
  if (bytes < smallest_pooled) return torch::empty(sizes);
  const size_t block_size = size_class(bytes);
  return at::from_blob(
      pool().take(block_size), sizes,
      [block_size](void* block) { pool().give_back(block, block_size); }, torch::kFloat32);
}

}  // namespace rlhf::model
