/// A Decoder that may not begin its response with certain tokens: a model that would abstain must
/// guess.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::rollout {
namespace detail {

template <class D>
concept ReservesRoom = requires(D& decoder, const Completions& prompts, int64_t room) {
  decoder.begin(prompts, room);
};

}  // namespace detail

/// The decoder's logits, those of the barred tokens at -infinity where the response's first token
/// is drawn: what is sampled, and its log-probability, are those of the distribution without them.
/// Later tokens are free. Models Decoder; borrows the decoder.
///
///     Barred must_guess{model, first_tokens(tokenizer, abstentions)};
///     Rollout guesses = rollout::sample(must_guess, prompts, options, generator);
template <class D>
class Barred {
 public:
  using Inner = decltype(std::declval<D&>().begin(std::declval<const Completions&>()));

  struct State {
    Inner inner;
    bool begun = false;  ///< the first token is drawn from logits that were given
  };

  /// @param tokens   none: the decoder as it is
  /// @throws Error   where a token is negative; one beyond the vocabulary, or tokens that leave
  ///                 nothing to draw, are an error at the first step
  Barred(D& decoder, std::vector<int64_t> tokens) : decoder_(decoder), tokens_(std::move(tokens)) {
    static_assert(require_decoder<D>());
    std::ranges::sort(tokens_);
    tokens_.erase(std::unique(tokens_.begin(), tokens_.end()), tokens_.end());
    require(tokens_.empty() || tokens_.front() >= 0, "barred token", ">= 0",
            tokens_.empty() ? 0 : tokens_.front());
  }
  Barred(D&&, std::vector<int64_t>) = delete;

  State begin(const Completions& prompts) { return {.inner = decoder_.begin(prompts)}; }
  /// The same with room for a response, where the decoder reserves it.
  State begin(const Completions& prompts, int64_t room) requires detail::ReservesRoom<D> {
    return {.inner = decoder_.begin(prompts, room)};
  }

  Tensor step(State& state, const Tensor& tokens) {
    const Tensor logits = decoder_.step(state.inner, tokens);
    const bool first = !std::exchange(state.begun, true);
    if (!first || tokens_.empty()) return logits;
    require(tokens_.back() < logits.size(1), "barred token",
            "below the vocabulary's " + std::to_string(logits.size(1)), tokens_.back());
    require(std::ssize(tokens_) < logits.size(1), "barred tokens", "some token left to draw",
            "all " + std::to_string(logits.size(1)));
    // A copy: the logits may be the decoder's own.
    return logits.index_fill(1, int64_tensor(tokens_).to(logits.device()),
                             -std::numeric_limits<float>::infinity());
  }

  void keep(State& state, const Tensor& rows) { decoder_.keep(state.inner, rows); }

 private:
  D& decoder_;
  std::vector<int64_t> tokens_;  // each once, rising
};

/// The first token of each phrase, each token once, rising: what to bar so that a response cannot
/// begin so. Write a phrase as a response would begin with it; where the prompt ends without a
/// space, that is with one. It may be the first token of other answers too.
/// @throws Error where a phrase is no token at all
template <Tokenizer T>
std::vector<int64_t> first_tokens(const T& tokenizer, std::span<const std::string> phrases) {
  std::vector<int64_t> first;
  for (const std::string& phrase : phrases) {
    const std::vector<int64_t> tokens = tokenizer.encode(phrase);
    require(!tokens.empty(), "phrase to take the first token of", "at least one token",
            "\"" + phrase + "\", which has none");
    first.push_back(tokens.front());
  }
  std::ranges::sort(first);
  first.erase(std::unique(first.begin(), first.end()), first.end());
  return first;
}

}  // namespace rlhf::rollout
