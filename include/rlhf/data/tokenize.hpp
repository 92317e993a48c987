/// Rows of text to Completions and Rankings.
///
/// Prompt and response are encoded apart, as when a response is sampled after its prompt; row i
/// gets id i, so that its `extra` is found again (extras_of).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/data/rows.hpp"

namespace rlhf::data {

/// What to do with a row of more than TokenizeOptions::max_tokens.
enum class TooLong : uint8_t {
  error,              ///< throw
  drop,               ///< leave the row out, of a ranking the whole group; ids still count it
  truncate_response,  ///< cut the response, its end token with it; a prompt that leaves no room for
                      ///< one response token still throws
};

/// Whether a response ends in the tokenizer's end token (the first of end_tokens()).
enum class EndToken : uint8_t { append, none };

struct TokenizeOptions {
  std::optional<int64_t> bos = {};  ///< put before each prompt
  EndToken end = EndToken::append;  ///< of responses; prompts never get one
  int64_t max_tokens = 0;           ///< of prompt and response together; 0: any number. For
                                    ///< prompts alone: the context less the room to respond
  TooLong too_long = TooLong::error;
  void validate() const;
};

namespace detail {
/// Any tokenizer, as far as rows need one.
struct Encoder {
  std::function<std::vector<int64_t>(std::string_view)> encode;
  std::vector<int64_t> end_tokens;
};
template <Tokenizer T>
Encoder encoder_of(const T& tokenizer) {
  return {[&tokenizer](std::string_view text) { return tokenizer.encode(text); },
          tokenizer.end_tokens()};
}
Completions tokenize(const Encoder&, std::span<const Demonstration>, const TokenizeOptions&);
Rankings tokenize(const Encoder&, std::span<const Ranking>, const TokenizeOptions&);
Completions tokenize(const Encoder&, std::span<const Prompt>, const TokenizeOptions&);
}  // namespace detail

/// Demonstrations as completions.
/// @throws Error naming the row ("path:line", or its index): too long, a prompt or response of no
///         tokens; "empty data" where no row is given or left
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

/// Prompts as completions with empty responses.
template <Tokenizer T>
Completions tokenize(const T& tokenizer, std::span<const Prompt> rows,
                     const TokenizeOptions& options = {}) {
  return detail::tokenize(detail::encoder_of(tokenizer), rows, options);
}

}  // namespace rlhf::data
