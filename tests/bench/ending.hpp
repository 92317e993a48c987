/// A language model whose sampled responses end after as many tokens as each is told to have.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "rlhf/model/causal_lm.hpp"

namespace bench {

inline constexpr int64_t end_token = 2, response_room = 64;

/// Policy and Decoder. Every other token is sampled as the model says; the end token is certain at
/// its place and impossible before. Borrows the model.
class Ending {
 public:
  explicit Ending(rlhf::CausalLM& model) : model_(model) {}

  /// Tokens of each response, the end token included: of the prompt with id i, `lengths[i]`.
  void end_after(std::vector<int64_t> lengths) { lengths_ = std::move(lengths); }

  rlhf::TokenOutputs evaluate(const rlhf::Completions& completions,
                              const rlhf::EvaluateOptions& options) const {
    return model_.evaluate(completions, options);
  }
  std::vector<rlhf::NamedTensor> named_parameters() const { return model_.named_parameters(); }

  struct State {
    rlhf::KvCache cache;
    std::vector<int64_t> left;
  };

  State begin(const rlhf::Completions& prompts, int64_t room = response_room) const {
    State state{.cache = model_.begin(prompts, room), .left = {}};
    for (int64_t row = 0; row < prompts.size(); ++row) {
      state.left.push_back(lengths_.at(static_cast<size_t>(prompts.id(row))));
    }
    return state;
  }

  rlhf::Tensor step(State& state, const rlhf::Tensor& tokens) const {
    rlhf::Tensor logits = model_.step(state.cache, tokens);
    constexpr float impossible = -1e9F;
    const auto vocab = logits.size(1);
    float* row = logits.data_ptr<float>();
    for (int64_t& left : state.left) {
      if (--left == 0) std::fill_n(row, vocab, impossible);
      row[end_token] = left == 0 ? 0 : impossible;
      row += vocab;
    }
    return logits;
  }

  void keep(State& state, const rlhf::Tensor& rows) const {
    model_.keep(state.cache, rows);
    std::vector<int64_t> kept;
    for (int64_t row : rlhf::int64_vector(rows))
      kept.push_back(state.left.at(static_cast<size_t>(row)));
    state.left = std::move(kept);
  }

 private:
  rlhf::CausalLM& model_;
  std::vector<int64_t> lengths_;
};

}  // namespace bench
