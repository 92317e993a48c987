/// One token a word: for closed worlds whose every word is known beforehand.
#pragma once

#include "rlhf/text/vocabulary.hpp"

namespace rlhf {

struct WordTokenizerOptions {
  int64_t min_count = 1;  ///< words that the corpus has less often are left out
  std::vector<AddedToken> added = default_added_tokens();

  void validate() const;
};

/// A token is a word or a punctuation mark with the space before it, or one other white space
/// character: "Where is it?" is "Where", " is", " it", "?". Decoding gives back every byte of text
/// whose words are known. The more frequent word has the lower id; added tokens follow.
/// A word outside the vocabulary becomes the token of kind `unknown`; where there is none, it is an
/// Error.
class WordTokenizer {
 public:
  explicit WordTokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  /// @throws Error if the corpus is empty or no valid UTF-8
  static WordTokenizer from_corpus(std::string_view corpus,
                                   const WordTokenizerOptions& options = {});

  /// @throws Error naming the word and its offset
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

static_assert(Tokenizer<WordTokenizer>);

}  // namespace rlhf
