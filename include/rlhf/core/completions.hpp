/// The one type that flows through the library: prompt-response pairs of unequal length, end to
/// end.
///
///     tokens   | p0 p0 p0 r0 r0 | p1 r1 r1 r1 | p2 p2 r2 |        int64 [N]
///     padded   | r0 r0 .  |                                       [B, T], response tokens only,
///              | r1 r1 r1 |                                       0 where there is none
///              | r2 .  .  |
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf {

/// B prompt-response pairs; prompts alone are completions with empty responses.
struct Completions {
  Tensor tokens;                       ///< int64 [N]  prompt 0, response 0, prompt 1, ...
  Tensor prompt_lengths;               ///< int64 [B], on the CPU
  Tensor response_lengths;             ///< int64 [B], on the CPU
  std::optional<Tensor> counted = {};  ///< bool [R], R the sum of response lengths; absent: all
  std::optional<Tensor> ids = {};      ///< int64 [B], row in the data set; equal ids: one prompt

  /// B.
  int64_t size() const { return prompt_lengths.defined() ? prompt_lengths.size(0) : 0; }
  /// N, prompt and response tokens together.
  int64_t token_count() const { return tokens.defined() ? tokens.size(0) : 0; }
  /// T, the longest response.
  int64_t longest_response() const;
  /// int64 [B] on the CPU: prompt plus response.
  Tensor lengths() const { return prompt_lengths + response_lengths; }
  /// The tokens of one prompt, one response. Each call adds up the lengths before its row: for all
  /// rows take responses_of().
  std::vector<int64_t> prompt(int64_t row) const;
  std::vector<int64_t> response(int64_t row) const;
  /// The id of a row: `ids` where present, else the row itself.
  int64_t id(int64_t row) const;
  /// @throws Error naming the first field whose type, shape or sum does not fit.
  void validate() const;
};

/// K-wise rankings: groups of completions of one prompt, best first within a group.
struct Rankings {
  Completions completions;           ///< the responses of group 0, then of group 1, ...
  Tensor group_sizes;                ///< int64 [G], each >= 2, on the CPU
  std::optional<Tensor> ranks = {};  ///< int64 [sum K]; lower is better, equal ranks are ties

  int64_t size() const { return group_sizes.defined() ? group_sizes.size(0) : 0; }
  void validate() const;
};

/// From lists of tokens; `responses` empty means prompts alone.
/// @throws Error if the two lists differ in size, or a prompt is empty.
Completions completions_from(const std::vector<std::vector<int64_t>>& prompts,
                             const std::vector<std::vector<int64_t>>& responses = {});

/// bool [B, T], on the tokens' device: which response tokens are real and counted.
Tensor mask_of(const Completions& completions);

/// int64 [R] on the tokens' device: index into `tokens` of every response token, row after row.
Tensor response_positions(const Completions& completions);

/// A flat [R] tensor of per-token values as [B, T], 0 in the padding. Differentiable.
Tensor pad_responses(const Tensor& flat, const Completions& completions);

/// The inverse: [B, T] to flat [R]. Differentiable.
Tensor flatten_responses(const Tensor& padded, const Completions& completions);

/// The chosen rows (int64 [k] on the CPU, repeats allowed) as completions of their own.
Completions select(const Completions& completions, const Tensor& rows);

/// The chosen groups of rankings (int64 [k] on the CPU).
Rankings select(const Rankings& rankings, const Tensor& groups);

/// All batches end to end. `counted` and `ids` are kept if any batch has them.
Completions concatenate(std::span<const Completions> batches);

/// The prompts alone, ids kept.
Completions prompts_of(const Completions& completions);

/// The tokens of every response, in order; with_responses(prompts_of(c), responses_of(c)) is c.
std::vector<std::vector<int64_t>> responses_of(const Completions& completions);

/// The prompts of `prompts` with these responses; ids kept.
Completions with_responses(const Completions& prompts,
                           const std::vector<std::vector<int64_t>>& responses);

/// The same on another device (lengths stay on the CPU).
Completions to(const Completions& completions, at::Device device);

}  // namespace rlhf
