/// The tokenizer that a GGUF file carries.
///
///   const io::GgufFile file("SmolLM2-135M-Instruct.Q4_1.gguf");
///   const auto stored = io::read_gguf_tokenizer(file.metadata());
///   const ByteLevelBpe tokenizer = gguf_tokenizer(stored);
///   const ChatTemplate chat = gguf_chat_template(stored);
#pragma once

#include "rlhf/io/gguf_tokenizer.hpp"
#include "rlhf/text/bpe_table.hpp"
#include "rlhf/text/chat_template.hpp"

namespace rlhf {

/// Model "gpt2" with the pre-tokenizers gpt-2, smollm, llama-bpe and qwen2. Control tokens are
/// special, those that end a text or a turn end tokens; bos goes before a whole text where the file
/// says so.
/// @throws Error naming the key whose value is another one, or a token or merge that does not fit
ByteLevelBpe gguf_tokenizer(const io::GgufTokenizer& stored);

/// @throws Error if the file has none, or one that is no template
ChatTemplate gguf_chat_template(const io::GgufTokenizer& stored);

}  // namespace rlhf
