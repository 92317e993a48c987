/// Sampling responses from any Decoder.
#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/core/rollout.hpp"
#include "rlhf/rollout/sampling.hpp"

namespace rlhf::rollout {
namespace detail {

/// The responses as they grow, and which of them each row of the decoder's state stands for.
class Growing {
 public:
  Growing(const Completions& prompts, const SamplingOptions& options, const Generator& generator);

  /// Draws a token for every row of the state and appends it where the response has not ended.
  /// @return the tokens to feed next, int64 [rows]
  Tensor append(const Tensor& logits);
  /// Rows of the state worth keeping, once enough have ended to pay for the move; else nothing.
  std::optional<Tensor> rows_to_keep();
  bool done() const { return growing_ == 0; }
  Rollout finish(const Completions& prompts) &&;

 private:
  struct Response {
    std::vector<int64_t> tokens;
    std::vector<float> log_probs;
    RandomStream stream;
    Finish finish = Finish::length;
    bool ended = false;
  };
  SamplingOptions options_;
  std::vector<Response> responses_;
  std::vector<size_t> rows_;  // response of each row of the state
  size_t growing_;
};

}  // namespace detail

/// The prompts' last tokens, int64 [B].
Tensor last_prompt_tokens(const Completions& prompts);

/// Samples responses. Prompt i's sample s is row i * samples_per_prompt + s, and carries its id.
///
/// A response is a function of the model, its prompt, and the stream (seed, step, id, sample
/// number) alone, not of its neighbours (up to rounding of the logits). Afterwards the generator
/// advances one step. Without ids, a prompt's row is its id; a prompt whose id stands more than
/// once takes the next sample numbers.
///
/// @param prompts  completions with empty responses
/// @throws Error   from options.validate(), or logits that are NaN
template <class D>
Rollout sample(D& decoder, const Completions& prompts, const SamplingOptions& options,
               Generator& generator) {
  static_assert(require_decoder<D>());
  options.validate();
  NoGrad no_grad;
  detail::Growing growing(prompts, options, generator);
  auto state = [&] {
    if constexpr (requires { decoder.begin(prompts, options.max_response_tokens); }) {
      return decoder.begin(prompts, options.max_response_tokens);
    } else {
      return decoder.begin(prompts);
    }
  }();
  Tensor logits = decoder.step(state, last_prompt_tokens(prompts));
  if (options.samples_per_prompt > 1) {
    const Tensor rows = torch::arange(prompts.size()).repeat_interleave(options.samples_per_prompt);
    decoder.keep(state, rows);
    logits = logits.index_select(0, rows.to(logits.device()));
  }
  for (Tensor tokens = growing.append(logits); !growing.done(); tokens = growing.append(logits)) {
    if (const auto rows = growing.rows_to_keep()) {
      decoder.keep(state, *rows);
      tokens = tokens.index_select(0, *rows);
    }
    logits = decoder.step(state, tokens.to(prompts.tokens.device()));
  }
  generator.advance();
  return std::move(growing).finish(prompts);
}

}  // namespace rlhf::rollout
