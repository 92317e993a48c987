/// A Decoder from any function of whole sequences: for models without a key/value cache.
#pragma once

#include <utility>

#include "rlhf/core/concepts.hpp"

namespace rlhf {

/// `next_logits(const Completions& prompts) -> [B, V]`: the logits that follow each prompt. Every
/// step runs the function on everything so far, so the cost is quadratic; the result is the same.
///
///   WholeSequenceDecoder decoder{[&](const Completions& prompts) { return my_model(prompts); }};
template <class Function>
class WholeSequenceDecoder {
 public:
  explicit WholeSequenceDecoder(Function next_logits) : next_logits_(std::move(next_logits)) {}

  struct State {
    std::vector<std::vector<int64_t>> sequences;
    at::Device device = at::kCPU;
  };

  State begin(const Completions& prompts) const {
    State state{.sequences = {}, .device = prompts.tokens.device()};
    for (int64_t row = 0; row < prompts.size(); ++row) {
      state.sequences.push_back(prompts.prompt(row));
      state.sequences.back().pop_back();
    }
    return state;
  }
  Tensor step(State& state, const Tensor& tokens) {
    const std::vector<int64_t> next = int64_vector(tokens);
    for (size_t row = 0; row < next.size(); ++row) state.sequences[row].push_back(next[row]);
    return next_logits_(to(completions_from(state.sequences), state.device));
  }
  void keep(State& state, const Tensor& rows) const {
    std::vector<std::vector<int64_t>> kept;
    for (int64_t row : int64_vector(rows))
      kept.push_back(state.sequences[static_cast<size_t>(row)]);
    state.sequences = std::move(kept);
  }

 private:
  Function next_logits_;
};

}  // namespace rlhf
