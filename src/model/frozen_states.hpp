/// What frozen layers made of sequences, remembered.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

class FrozenStates {
 public:
  /// @param bytes  that are remembered at most; the oldest sequence goes first
  FrozenStates(int64_t layers, int64_t bytes) : layers_(layers), bytes_(bytes) {}

  /// Hidden states [N, dim] of some sequences: tokens end to end, and their lengths.
  using Compute = std::function<Tensor(const Tensor& tokens, const std::vector<int64_t>& lengths)>;

  /// Hidden states [N, dim] of the sequences, from memory, and of those it has not by `compute`.
  /// @param kind     of numbers: what one kind made of a sequence is no other's
  /// @param version  of the weights: what others made is forgotten
  Tensor of(const Tensor& tokens, const std::vector<int64_t>& lengths, char kind, int64_t version,
            const Compute& compute);

  int64_t layers() const { return layers_; }
  int64_t bytes() const { return bytes_; }

 private:
  void remember(const std::string& key, const Tensor& states);

  int64_t layers_, bytes_;
  std::mutex mutex_;  // several models share this, and rewards may be called side by side
  std::unordered_map<std::string, Tensor> states_;  // by kind and tokens
  std::deque<std::string> by_age_;
  int64_t held_ = 0;
  int64_t version_ = 0;
};

}  // namespace rlhf::model
