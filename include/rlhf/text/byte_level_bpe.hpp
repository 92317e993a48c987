/// Byte-level byte-pair encoding, GPT-2's: any string of bytes goes in and comes out unchanged.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "rlhf/text/vocabulary.hpp"

namespace rlhf {

/// GPT-2's rule for cutting text into pieces that merges never cross: contractions, words and
/// numbers and runs of marks each with the space before it, white space. As a PCRE2 pattern, with
/// the letters and numbers of Unicode 16 whatever version PCRE2 knows.
const std::string& gpt2_split_pattern();

/// <|endoftext|>, of kind `end`.
std::vector<AddedToken> gpt2_added_tokens();

/// All that a byte-level BPE is made of.
struct BpeParts {
  std::vector<std::string>
      tokens;  ///< raw bytes, the id is the place; all 256 bytes are among them
  std::vector<std::pair<std::string, std::string>> merges;  ///< the first is applied first
  std::vector<AddedToken> added = {};
  std::string split_pattern = gpt2_split_pattern();
};

/// Text is cut at its added tokens, what is between them by the split pattern, and each piece's
/// bytes are merged pairwise, the earliest merge first.
///
/// A byte that is not valid UTF-8 is one token of its own, and ends the piece before it. So
/// decode(encode(x), SpecialTokens::keep) == x for every string of bytes, and valid UTF-8 gives
/// the ids that GPT-2 gives.
///
/// A value: copies share the tables and a bounded cache of pieces. Safe to use from many threads.
/// Source: Sennrich et al. 2016, arXiv 1508.07909; Radford et al. 2019 (GPT-2), section 2.2.
class ByteLevelBpe {
 public:
  /// @throws Error if a byte has no token, a merge names or makes an unknown token or stands
  ///         twice, a special token is also a product of merges, or the pattern does not compile
  explicit ByteLevelBpe(BpeParts parts);

  /// GPT-2's two files: {"token": id, ...} and one merge a line, both in GPT-2's byte alphabet.
  /// @throws Error naming file and line; also if an added token has no id in encoder_json
  static ByteLevelBpe load(const std::filesystem::path& encoder_json,
                           const std::filesystem::path& vocab_bpe,
                           std::vector<AddedToken> added = gpt2_added_tokens());

  /// A folder that save() wrote.
  static ByteLevelBpe load(const std::filesystem::path& folder);

  /// Writes encoder.json and vocab.bpe as GPT-2 has them (added tokens included), and bpe.json with
  /// what those cannot say: {"split_pattern": "...", "added_tokens": [{"content": "<eos>", "kind":
  /// "end", "whole_word": false}, ...]}. Makes the folder where it is missing.
  void save(const std::filesystem::path& folder) const;

  std::vector<int64_t> encode(std::string_view text, SpecialText special = SpecialText::read) const;
  std::string decode(std::span<const int64_t> ids,
                     SpecialTokens special = SpecialTokens::drop) const;
  std::vector<int64_t> end_tokens() const;

  const Vocabulary& vocabulary() const;
  /// In order of rank, as raw bytes.
  std::vector<std::pair<std::string, std::string>> merges() const;
  const std::string& split_pattern() const;

 private:
  struct Tables;
  explicit ByteLevelBpe(std::shared_ptr<Tables> tables) : tables_(std::move(tables)) {}
  static std::shared_ptr<Tables> read(const std::filesystem::path& encoder_json,
                                      const std::filesystem::path& vocab_bpe,
                                      std::vector<AddedToken> added, std::string split_pattern);

  std::shared_ptr<Tables> tables_;
};

static_assert(Tokenizer<ByteLevelBpe>);

}  // namespace rlhf
