/// Tokens that are found in the text as a whole, before any other rule of a tokenizer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

  // What a tokenizer.json says of a token; the rules are those of the package `tokenizers`.

  /// No word character may stand next to it, whatever it starts or ends with. Where it is the
  /// longest that matches and one does, the text is passed over: no shorter token is tried.
  bool single_word = false;
  bool strip_left = false;   ///< takes the white space before it (lstrip)
  bool strip_right = false;  ///< takes the white space after it (rstrip)
  /// Found after the others, in the text as its normalization leaves it, which is done to the
  /// content too. Only a ByteLevelBpe normalizes text, and only there is such a token found.
  bool normalized = false;
  std::optional<int64_t> id = {};  ///< absent: the token's place in the vocabulary, or the next

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

/// Finds added tokens in text.
class AddedTokens {
 public:
  AddedTokens();
  /// A content that is there already is replaced.
  void add(const AddedToken& token, int64_t id);

  /// The text cut at its added tokens: leftmost first, the longest of those that fit.
  std::vector<Segment> segments(std::string_view text, SpecialText special) const;

 private:
  struct Entry {
    AddedToken token;
    int64_t id;
  };
  /// A node of the tree of contents, a byte a level.
  struct Node {
    std::vector<std::pair<char, int32_t>> children = {};
    std::optional<int32_t> entry = {};  ///< whose content ends here
  };
  const Entry* at(std::string_view text, size_t place, SpecialText special) const;
  bool fits(const Entry& entry, std::string_view text, size_t place, SpecialText special) const;
  int32_t child(int32_t node, char byte) const;

  std::array<int32_t, 256> roots_;  // the node of each first byte, -1: none
  std::vector<Node> nodes_;
  std::vector<Entry> entries_;
};

}  // namespace text
}  // namespace rlhf
