/// Byte-level byte-pair encoding, the tokenizer of GPT-2, Llama 3, Qwen and SmolLM.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "rlhf/text/split_rule.hpp"
#include "rlhf/text/vocabulary.hpp"

namespace rlhf {

/// <|endoftext|>, of kind `end`.
std::vector<AddedToken> gpt2_added_tokens();

/// What text becomes before it is cut and merged. Added tokens that are not `normalized` are found
/// before that.
enum class Normalization : uint8_t {
  none,
  nfc,  ///< Unicode's normal form C, with the composed characters of Unicode 9 as in `tokenizers`
};

/// What becomes of a byte that no token spells, before any merge.
enum class MissingByte : uint8_t {
  refuse,         ///< a vocabulary that lacks one is an Error
  drop,           ///< nothing
  unknown,        ///< BpeRules::unknown_token
  unknown_fused,  ///< the same, once for each run of such bytes
};

/// What stands around a text that is a sequence of its own, such as <|begin_of_text|>.
struct SequenceMarks {
  std::vector<int64_t> before = {};
  std::vector<int64_t> after = {};

  bool operator==(const SequenceMarks&) const = default;
};

/// Tokens with a role, by their content. They change no encoding.
struct NamedTokens {
  std::optional<std::string> bos = {};
  std::optional<std::string> eos = {};
  std::optional<std::string> pad = {};
  std::optional<std::string> unk = {};

  bool operator==(const NamedTokens&) const = default;
};

/// How text becomes the pieces whose bytes are merged.
struct BpeRules {
  std::vector<SplitRule> splits = gpt2_splits();
  Normalization normalization = Normalization::none;
  /// A piece that is a token as a whole is that token, whatever the merges would make of it.
  bool ignore_merges = false;
  MissingByte missing_byte = MissingByte::refuse;
  std::optional<std::string> unknown_token = {};  ///< for MissingByte::unknown: one of the tokens
  SequenceMarks marks = {};
  NamedTokens named = {};
};

/// All that a byte-level BPE is made of.
struct BpeParts {
  /// Raw bytes, the id is the place; an empty string is an id that stands for nothing. Added tokens
  /// that carry an id of their own need not be among them.
  std::vector<std::string> tokens;
  std::vector<std::pair<std::string, std::string>> merges;  ///< the first is applied first
  std::vector<AddedToken> added = {};
  BpeRules rules = {};
};

/// Text is cut at its added tokens, what is between them by the split rules, and each piece's bytes
/// are merged pairwise, the earliest merge first.
///
/// A byte that is not valid UTF-8 is one token of its own, and ends the piece before it. So
/// decode(encode(x), SpecialTokens::keep) == x for every string of bytes, unless the rules drop or
/// change some, and valid UTF-8 gives the ids that the package `tokenizers` gives. Decoding gives
/// the tokens' bytes as they are; where these are no UTF-8, `tokenizers` puts U+FFFD, and it reads
/// added tokens such as "é", whose characters are all of the byte alphabet, as spelt in that.
///
/// encode() adds nothing to the text, as chat templates spell out every mark there is.
/// encode_sequence() puts the marks of `rules().marks` around.
///
/// A value: copies share the tables and a bounded cache of pieces. Safe to use from many threads.
/// Source: Sennrich et al. 2016, arXiv 1508.07909; Radford et al. 2019 (GPT-2), section 2.2.
class ByteLevelBpe {
 public:
  /// @throws Error if a byte has no token and none may lack one, a merge names or makes an unknown
  ///         token, a mark is no id, or a pattern does not compile
  explicit ByteLevelBpe(BpeParts parts);

  /// GPT-2's two files: {"token": id, ...} and one merge a line, both in GPT-2's byte alphabet.
  /// @throws Error naming file and line; also if an added token has no id in encoder_json
  static ByteLevelBpe load(const std::filesystem::path& encoder_json,
                           const std::filesystem::path& vocab_bpe,
                           std::vector<AddedToken> added = gpt2_added_tokens());

  /// A folder of Hugging Face, or one that save() wrote: tokenizer.json, and what stands beside it
  /// of tokenizer_config.json, special_tokens_map.json (the names of bos, eos, pad, unk) and
  /// generation_config.json (ids that end a response). Ends of a response are eos, first,
  /// and those ids.
  ///
  /// Read are models of type BPE over the pre-tokenizers Split, Digits and ByteLevel and Sequences
  /// of them that end with ByteLevel, the normalizer NFC, the decoder ByteLevel, and the
  /// post-processors ByteLevel and TemplateProcessing. Truncation and padding are passed over.
  /// @throws Error naming file and field, for any other component too
  static ByteLevelBpe load(const std::filesystem::path& folder);

  /// Writes tokenizer.json and tokenizer_config.json, which load() and Python's `tokenizers` and
  /// `transformers` read. Only load() knows AddedToken::whole_word and more than one end of a
  /// response; Python passes over those. Other files of the folder stay.
  /// @throws Error if the rules cannot be said in a tokenizer.json
  void save(const std::filesystem::path& folder) const;

  std::vector<int64_t> encode(std::string_view text, SpecialText special = SpecialText::read) const;
  /// The text as a sequence of its own, with the marks that stand around one.
  std::vector<int64_t> encode_sequence(std::string_view text,
                                       SpecialText special = SpecialText::read) const;
  std::string decode(std::span<const int64_t> ids,
                     SpecialTokens special = SpecialTokens::drop) const;
  std::vector<int64_t> end_tokens() const;

  const Vocabulary& vocabulary() const;
  /// In order of rank, as raw bytes.
  std::vector<std::pair<std::string, std::string>> merges() const;
  const BpeRules& rules() const;

 private:
  struct Tables;
  explicit ByteLevelBpe(std::shared_ptr<Tables> tables) : tables_(std::move(tables)) {}

  std::shared_ptr<Tables> tables_;
};

static_assert(Tokenizer<ByteLevelBpe>);

}  // namespace rlhf
