/// What a GGUF file says of its tokenizer, as it stands there; the room `text` makes one of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rlhf/io/gguf.hpp"

namespace rlhf::io {

/// tokenizer.ggml.token_type, by its numbers in files.
enum class GgufTokenKind : uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,       ///< <|im_end|>: read from text only where special tokens are
  user_defined = 4,  ///< always read from text as one token
  unused = 5,
  byte = 6
};

struct GgufTokenizer {
  std::string model = "";                  ///< "gpt2": byte-level BPE
  std::string pre = "";                    ///< how text is cut first: "gpt-2", "smollm", "qwen2"
  std::vector<std::string> tokens = {};    ///< the id is the place
  std::vector<GgufTokenKind> kinds = {};   ///< one a token; all normal where the file has none
  std::vector<std::string> merges = {};    ///< "left right", the first is applied first
  std::optional<int64_t> bos = {};         ///< begins a text
  std::optional<int64_t> eos = {};         ///< ends a text
  std::vector<int64_t> further_ends = {};  ///< end of a turn or a message, where the file has them
  std::optional<int64_t> unknown = {};
  std::optional<int64_t> padding = {};
  std::optional<bool> add_bos = {};  ///< absent: what the model's family does
  std::optional<bool> add_eos = {};
  std::optional<std::string> chat_template = {};  ///< Jinja
};

/// Reads tokenizer.ggml.* and tokenizer.chat_template.
/// @throws Error naming file and key: no model, no tokens; fewer or more kinds than tokens; a kind
///         that is none; an id outside the vocabulary; text that is not UTF-8
GgufTokenizer read_gguf_tokenizer(const GgufMetadata& metadata);

}  // namespace rlhf::io
