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
  struct Block {
    void* memory;
    size_t bytes;
  };

  /// The smallest block that waits and is large enough, but not so large that half of it is idle.
  /// Where there is none, a new one, in place of the next smaller one that waits: batches of
  /// changing size soon share the blocks of the largest, rather than keep some of each size.
  Block take(size_t bytes) {
    void* outgrown = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const auto found = waiting_.lower_bound(bytes);
      if (found != waiting_.end() && found->first < 2 * bytes) {
        const Block block{found->second.back(), found->first};
        found->second.pop_back();
        total_ -= block.bytes;
        if (found->second.empty()) waiting_.erase(found);
        return block;
      }
      if (found != waiting_.begin()) {
        const auto smaller = std::prev(found);
        if (2 * smaller->first > bytes) {
          outgrown = smaller->second.back();
          smaller->second.pop_back();
          total_ -= smaller->first;
          if (smaller->second.empty()) waiting_.erase(smaller);
        }
      }
    }
    if (outgrown != nullptr) c10::free_cpu(outgrown);
    return {c10::alloc_cpu(bytes), bytes};
  }

  void release() {
    std::map<size_t, std::vector<void*>> released;
    {
      const std::lock_guard lock(mutex_);
      released.swap(waiting_);
      total_ = 0;
    }
    for (const auto& [bytes, blocks] : released) {
      for (void* block : blocks) c10::free_cpu(block);
    }
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

void release_pooled() {
  pool().release();
}

Tensor pooled(at::IntArrayRef sizes) {
  const auto bytes = static_cast<size_t>(c10::multiply_integers(sizes)) * sizeof(float);
  if (bytes < smallest_pooled) return torch::empty(sizes);
  const Pool::Block block = pool().take(size_class(bytes));
  return at::from_blob(
      block.memory, sizes, [bytes = block.bytes](void* memory) { pool().give_back(memory, bytes); },
      torch::kFloat32);
}

}  // namespace rlhf::model
