/// A byte-level BPE from its parts as GGUF files list them: tokens and merges in GPT-2's byte
/// alphabet, and the name of a family for the rest.
#pragma once

#include "rlhf/text/byte_level_bpe.hpp"

namespace rlhf {

/// How a family of models cuts and prepares text before it merges.
enum class BpeFamily : uint8_t {
  gpt2,    ///< gpt2_splits()
  smollm,  ///< every digit alone, then gpt2_splits()
  llama3,  ///< llama3_splits(); a piece that is a token is that token, whatever the merges say
  qwen2,   ///< qwen2_splits(), of text in Unicode's normal form C
};

/// A token that is found in the text before any other rule, by its place in BpeTable::tokens.
struct AddedId {
  int64_t id;
  TokenKind kind = TokenKind::special;  ///< control tokens: special or end; user's own: ordinary
};

struct BpeTable {
  /// The id is the place. Ordinary tokens in GPT-2's byte alphabet ("Ġis" for " is"); the content
  /// of added tokens as it stands in the text.
  std::vector<std::string> tokens;
  std::vector<std::string> merges;  ///< "left right" in that alphabet; the first is applied first
  BpeFamily family = BpeFamily::gpt2;
  /// Of those that end a response the first is what is put behind one that is written down.
  std::vector<AddedId> added = {};
  SequenceMarks marks = {};  ///< what encode_sequence() puts around a text
};

/// Bytes that have no token are dropped before merging, as llama.cpp and `tokenizers` do.
/// @throws Error if an id or a merge does not fit
ByteLevelBpe byte_level_bpe(const BpeTable& table);

}  // namespace rlhf
