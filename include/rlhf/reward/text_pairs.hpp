/// A rollout as text: what a reward that reads words is given.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/concepts.hpp"

namespace rlhf {

/// One prompt and its response. The views hold while the reward is being computed.
struct TextPair {
  std::string_view prompt;
  std::string_view response;
  const nlohmann::json* row = nullptr;  ///< further fields of the prompt's data row; nullptr where
                                        ///< the reward was given no table of rows
};

/// Which special tokens the text shows.
struct TextRewardOptions {
  SpecialTokens in_prompt = SpecialTokens::drop;
  SpecialTokens in_response = SpecialTokens::drop;
};

namespace reward {

/// The text of a whole rollout.
class DecodedRollout {
 public:
  DecodedRollout() = default;
  DecodedRollout(DecodedRollout&&) = default;  // moves the vectors, the views stay good
  DecodedRollout& operator=(DecodedRollout&&) = default;
  std::span<const TextPair> pairs() const { return pairs_; }

 private:
  friend class RolloutReader;
  std::vector<std::string> texts_;
  std::vector<TextPair> pairs_;
};

/// Decodes rollouts and finds the data row of each sequence by its id.
class RolloutReader {
 public:
  /// Borrows the tokenizer. `rows[id]` holds the further fields of data row `id` (data::extras_of);
  /// without rows none are looked up.
  template <Tokenizer T>
  RolloutReader(const T& tokenizer, std::vector<nlohmann::json> rows, TextRewardOptions options)
      : decode_([&tokenizer](std::span<const int64_t> tokens, SpecialTokens special) {
          return std::string(tokenizer.decode(tokens, special));
        }),
        rows_(std::make_shared<const std::vector<nlohmann::json>>(std::move(rows))),
        options_(options) {}

  /// @throws Error where rows are to be looked up and the completions have no ids, or an id has no
  ///         row
  DecodedRollout operator()(const Rollout& rollout) const;
  bool has_rows() const { return !rows_->empty(); }

 private:
  const nlohmann::json* row_of(const Completions& completions, int64_t sequence) const;

  std::function<std::string(std::span<const int64_t>, SpecialTokens)> decode_;
  std::shared_ptr<const std::vector<nlohmann::json>> rows_;
  TextRewardOptions options_;
};

/// The start of a prompt in quotes, for a message: one line, at most 200 bytes, valid UTF-8.
std::string quoted_prompt(std::string_view prompt);

}  // namespace reward
}  // namespace rlhf
