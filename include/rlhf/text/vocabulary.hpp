/// What every tokenizer stands on: tokens and their ids, and the tokens that are found in the text
/// before anything else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rlhf/core/tokenizer.hpp"
#include "rlhf/text/added_tokens.hpp"

namespace rlhf {

namespace text {

/// Lets a map of strings be searched by string_view.
struct StringHash : std::hash<std::string_view> {
  using is_transparent = void;
};

}  // namespace text

/// Tokens (strings of any bytes) and their ids 0 .. size()-1.
class Vocabulary {
 public:
  /// A token's id is its place in `tokens`; an empty string is an id that stands for nothing. An
  /// added token goes where it says (`id`). Without that, it keeps the id that its content has, and
  /// those without one follow in their order.
  /// @throws Error if a token stands twice, added content is no valid UTF-8 or an id is taken
  explicit Vocabulary(std::vector<std::string> tokens, std::vector<AddedToken> added = {});

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  /// The bytes of a token; none for an id that stands for nothing. @throws Error unless
  /// 0 <= id < size()
  const std::string& token_of(int64_t id) const;
  /// Of an ordinary and an added token of the same bytes, the added one.
  /// @throws Error if there is no such token
  int64_t id_of(std::string_view token) const;
  /// The same, or nothing.
  std::optional<int64_t> find(std::string_view token) const;
  TokenKind kind_of(int64_t id) const;

  const std::vector<AddedToken>& added_tokens() const { return added_; }
  /// The id of each of them.
  const std::vector<int64_t>& added_ids() const { return added_ids_; }
  /// The ids of kind `end`, in the order they were added.
  std::vector<int64_t> end_tokens() const;
  /// The id of kind `unknown`.
  std::optional<int64_t> unknown_token() const { return unknown_; }

  /// The tokens' bytes end to end. @throws Error if an id is outside the vocabulary
  std::string decode(std::span<const int64_t> ids, SpecialTokens special) const;

  /// The text cut at its added tokens, but for `normalized` ones: leftmost first, the longest of
  /// those that fit.
  std::vector<text::Segment> segments(std::string_view text, SpecialText special) const;

 private:
  int64_t insert(std::string token);
  int64_t place(const AddedToken& token);
  void add(const AddedToken& token);

  std::vector<std::string> tokens_;
  std::vector<TokenKind> kinds_;
  std::unordered_map<std::string, int64_t, text::StringHash, std::equal_to<>> ids_;
  std::vector<AddedToken> added_;
  std::vector<int64_t> added_ids_;
  std::vector<bool> is_added_;  // by id
  std::unordered_set<std::string> added_contents_;
  text::AddedTokens matcher_;
  std::optional<int64_t> unknown_;
};

/// <bos> (special) and <eos> (end): what a tokenizer made here adds unless told otherwise.
std::vector<AddedToken> default_added_tokens();

}  // namespace rlhf
