/// Rows to Completions and Rankings.
///
///     const auto rows = data::read_all<data::Demonstration>("train.jsonl");
///     const Completions all = data::tokenize(tokenizer, rows, {.chat =
///     ChatTemplate::load(folder)});
///
/// Text: prompt and response are encoded apart, as when a response is sampled after its prompt, and
/// the response gets an end token. Without a prompt every token is learnt, after the first.
///
/// Conversations: the chat template writes the whole down; the prompt is what the model would be
/// prompted with, the response all that follows up to the end of the assistant's last turn. Only
/// the assistant's turns count, each with the token that ends it (Completions::counted). Without a
/// prompt the response begins with the assistant's first turn.
///
/// Row i gets id i, so that its `extra` is found again (extras_of).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/data/rows.hpp"
#include "rlhf/text/chat_template.hpp"

namespace rlhf::data {

/// What to do with a row of more than TokenizeOptions::max_tokens.
enum class TooLong : uint8_t {
  error,              ///< throw
  drop,               ///< leave the row out, of a ranking the whole group; ids still count it
  truncate_response,  ///< cut the response, its end token with it; a prompt that leaves no room for
                      ///< one counted response token still throws
};

/// Whether a response ends in the tokenizer's end token (the first of end_tokens()).
enum class EndToken : uint8_t { append, none };

struct TokenizeOptions {
  std::optional<int64_t> bos = {};  ///< put before each prompt that is text
  EndToken end = EndToken::append;  ///< of responses that are text; prompts never get one
  int64_t max_tokens = 0;           ///< of prompt and response together; 0: any number. For
                                    ///< prompts alone: the context less the room to respond
  TooLong too_long = TooLong::error;
  std::optional<ChatTemplate> chat = {};  ///< writes conversations down, with all their marks
  ChatOptions chat_options = {};          ///< of it; add_generation_prompt is set as need be
  void validate() const;
};

/// Unpaired preferences as tokens.
struct LabelledCompletions {
  Completions completions;
  Tensor labels;  ///< bool [B]: whether people want the response
};

namespace detail {
/// Any tokenizer, as far as rows need one. Models Tokenizer.
struct Encoder {
  std::function<std::vector<int64_t>(std::string_view)> encode;
  std::function<std::string(std::span<const int64_t>, SpecialTokens)> decode;
  std::vector<int64_t> ends;

  std::vector<int64_t> end_tokens() const { return ends; }
};
template <Tokenizer T>
Encoder encoder_of(const T& tokenizer) {
  return {[&tokenizer](std::string_view text) { return tokenizer.encode(text); },
          [&tokenizer](std::span<const int64_t> tokens, SpecialTokens special) {
            return std::string(tokenizer.decode(tokens, special));
          },
          tokenizer.end_tokens()};
}
Completions tokenize(const Encoder&, std::span<const Demonstration>, const TokenizeOptions&);
Rankings tokenize(const Encoder&, std::span<const Ranking>, const TokenizeOptions&);
LabelledCompletions tokenize(const Encoder&, std::span<const UnpairedPreference>,
                             const TokenizeOptions&);
Completions tokenize(const Encoder&, std::span<const Prompt>, const TokenizeOptions&);
}  // namespace detail

/// Demonstrations as completions.
/// @throws Error naming the row ("path:line", or its index): too long, a prompt or response of no
///         tokens, a conversation without a chat template or that this one cannot write down;
///         "empty data" where no row is given or left
template <Tokenizer T>
Completions tokenize(const T& tokenizer, std::span<const Demonstration> rows,
                     const TokenizeOptions& options = {}) {
  return detail::tokenize(detail::encoder_of(tokenizer), rows, options);
}

/// Rankings as groups of completions; all of a group share the row's id.
/// @throws Error as above, and as require_ranking
template <Tokenizer T>
Rankings tokenize(const T& tokenizer, std::span<const Ranking> rows,
                  const TokenizeOptions& options = {}) {
  return detail::tokenize(detail::encoder_of(tokenizer), rows, options);
}

/// Unpaired preferences as completions and their labels.
template <Tokenizer T>
LabelledCompletions tokenize(const T& tokenizer, std::span<const UnpairedPreference> rows,
                             const TokenizeOptions& options = {}) {
  return detail::tokenize(detail::encoder_of(tokenizer), rows, options);
}

/// Prompts as completions with empty responses. A conversation ends with the header of the
/// assistant's turn.
template <Tokenizer T>
Completions tokenize(const T& tokenizer, std::span<const Prompt> rows,
                     const TokenizeOptions& options = {}) {
  return detail::tokenize(detail::encoder_of(tokenizer), rows, options);
}

}  // namespace rlhf::data
