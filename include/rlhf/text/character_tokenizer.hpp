/// One token a character: for tests, arithmetic, names, and any small closed alphabet.
#pragma once

#include "rlhf/text/vocabulary.hpp"

namespace rlhf {

/// Tokens are the code points of a corpus, numbered in their Unicode order; added tokens follow.
/// A character (or invalid byte) outside the vocabulary becomes the token of kind `unknown`; where
/// there is none, it is an Error.
class CharacterTokenizer {
 public:
  explicit CharacterTokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  /// @throws Error if the corpus is empty or no valid UTF-8
  static CharacterTokenizer from_corpus(std::string_view corpus,
                                        std::vector<AddedToken> added = default_added_tokens());

  /// @throws Error naming the character and its offset
  std::vector<int64_t> encode(std::string_view text, SpecialText special = SpecialText::read) const;
  std::string decode(std::span<const int64_t> ids,
                     SpecialTokens special = SpecialTokens::drop) const {
    return vocabulary_.decode(ids, special);
  }
  std::vector<int64_t> end_tokens() const { return vocabulary_.end_tokens(); }
  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
};

static_assert(Tokenizer<CharacterTokenizer>);

}  // namespace rlhf
