/// What every tokenizer stands on: tokens and their ids, and the tokens that are found in the text
/// before anything else.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rlhf/core/tokenizer.hpp"

namespace rlhf {

/// What a token stands for. All but `ordinary` are special: decoding can hide them.
enum class TokenKind : uint8_t {
  ordinary,  ///< text
  special,   ///< a mark in the stream of tokens, such as <bos>
  end,       ///< a mark that ends a response, such as <eos>
  unknown,   ///< what text outside the vocabulary becomes; at most one
};

/// A token that is matched in the text as a whole, before any other rule.
struct AddedToken {
  std::string content;  ///< valid UTF-8, not empty
  TokenKind kind = TokenKind::ordinary;
  /// Where the content starts or ends with a letter, digit or underscore, none may stand
  /// next to it in the text: " is" is found in "it is.", not in " island".
  bool whole_word = false;

  bool operator==(const AddedToken&) const = default;
};

/// What becomes of text that spells a special token.
enum class SpecialText : uint8_t {
  read,   ///< it is that token, as in the templates a program writes
  plain,  ///< it is text like any other, as in what a stranger typed
};

namespace text {

/// A stretch of a text: one added token, or what lies between them.
struct Segment {
  std::string_view text;
  std::optional<int64_t> id = {};  ///< of the added token
};

/// Lets a map of strings be searched by string_view.
struct StringHash : std::hash<std::string_view> {
  using is_transparent = void;
};

}  // namespace text

/// Tokens (strings of any bytes) and their ids 0 .. size()-1: no gaps, no repeats.
class Vocabulary {
 public:
  /// A token's id is its place in `tokens`. An added token whose content stands there keeps that
  /// id; the others follow in their order.
  /// @throws Error if a token is empty or stands twice, or added content is no valid UTF-8
  explicit Vocabulary(std::vector<std::string> tokens, std::vector<AddedToken> added = {});

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  /// The bytes of a token. @throws Error unless 0 <= id < size()
  const std::string& token_of(int64_t id) const;
  /// @throws Error if there is no such token
  int64_t id_of(std::string_view token) const;
  /// The same, or nothing.
  std::optional<int64_t> find(std::string_view token) const;
  TokenKind kind_of(int64_t id) const;

  const std::vector<AddedToken>& added_tokens() const { return added_; }
  /// The ids of kind `end`, in the order they were added.
  std::vector<int64_t> end_tokens() const;
  /// The id of kind `unknown`.
  std::optional<int64_t> unknown_token() const { return unknown_; }

  /// The tokens' bytes end to end. @throws Error if an id is outside the vocabulary
  std::string decode(std::span<const int64_t> ids, SpecialTokens special) const;

  /// The text cut at its added tokens: leftmost first, the longest of those that fit.
  std::vector<text::Segment> segments(std::string_view text, SpecialText special) const;

 private:
  int64_t insert(std::string token);
  void add(const AddedToken& token);
  std::optional<size_t> added_at(std::string_view text, size_t at, SpecialText special) const;

  std::vector<std::string> tokens_;
  std::vector<TokenKind> kinds_;
  std::unordered_map<std::string, int64_t, text::StringHash, std::equal_to<>> ids_;
  std::vector<AddedToken> added_;
  std::vector<int64_t> added_ids_;
  std::array<std::vector<size_t>, 256> added_by_first_byte_;  // places in added_, longest first
  std::optional<int64_t> unknown_;
};

/// <bos> (special) and <eos> (end): what a tokenizer made here adds unless told otherwise.
std::vector<AddedToken> default_added_tokens();

}  // namespace rlhf
