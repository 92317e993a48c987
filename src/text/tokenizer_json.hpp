/// tokenizer.json, the file of Hugging Face's `tokenizers`, of byte-level BPE models.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/text/byte_level_bpe.hpp"

namespace rlhf::text {

/// @throws Error naming file and field: whatever is not read is named with its type
BpeParts read_tokenizer_json(const std::filesystem::path& path);

/// What read_tokenizer_json reads back; keys stand in the order that `tokenizers` gives them.
/// @throws Error if the rules cannot be said there
nlohmann::ordered_json tokenizer_json(const ByteLevelBpe& tokenizer);

/// The rules between pre_tokenizer, normalizer and post_processor, and the fields that say them.
std::vector<SplitRule> read_pre_tokenizer(const class JsonField& field);
nlohmann::ordered_json pre_tokenizer_json(const std::vector<SplitRule>& rules);

}  // namespace rlhf::text
