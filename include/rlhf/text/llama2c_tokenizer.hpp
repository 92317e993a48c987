/// The tokenizer of llama2.c: SentencePiece BPE by score, with byte fallback.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "rlhf/text/vocabulary.hpp"

namespace rlhf {

/// Token for token what llama2.c does. Ids 0, 1, 2 are unknown, beginning and end; 3 .. 258 are the
/// bytes. A text starts with a space that is not its own (the "dummy prefix"), and special tokens
/// are never read from text.
///
///     encode("Once upon")           " Once upon" in tokens, no beginning
///     encode_prompt("Once upon")    the same after the beginning: what a model is to continue
///     encode_continuation(" a time")  no dummy prefix: what follows text that is there already
///
/// decode() leaves out one space after a beginning, so decode(encode_prompt(x)) == x for every
/// string of bytes; so is decode(encode_continuation(x)).
/// A value: copies share the tables.
/// Source: github.com/karpathy/llama2.c, run.c.
class Llama2cTokenizer {
 public:
  static constexpr int64_t bos = 1;
  static constexpr int64_t eos = 2;

  /// Reads tokenizer.bin: int32 longest token, then for each token float32 score, int32 length and
  /// its bytes, all little-endian. The size of the vocabulary does not stand in the file.
  /// @throws Error naming the path if it holds not just `vocabulary_size` tokens, a length or a
  ///         score is not possible, a token stands twice, or the bytes are not at 3 .. 258
  static Llama2cTokenizer load(const std::filesystem::path& path, int64_t vocabulary_size);

  std::vector<int64_t> encode(std::string_view text) const;
  std::vector<int64_t> encode_prompt(std::string_view text) const;
  std::vector<int64_t> encode_continuation(std::string_view text) const;
  /// @throws Error if an id is outside the vocabulary
  std::string decode(std::span<const int64_t> ids,
                     SpecialTokens special = SpecialTokens::drop) const;
  /// Beginning and end: models trained by llama2.c end a story with the beginning of the next.
  std::vector<int64_t> end_tokens() const { return {bos, eos}; }
  const Vocabulary& vocabulary() const;

 private:
  struct Tables;
  explicit Llama2cTokenizer(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}

  std::shared_ptr<const Tables> tables_;
};

static_assert(Tokenizer<Llama2cTokenizer>);

}  // namespace rlhf
