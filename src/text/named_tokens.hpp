/// tokenizer_config.json, and special_tokens_map.json where that is silent.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "json_field.hpp"
#include "rlhf/text/byte_level_bpe.hpp"

namespace rlhf::text {

/// A JSON file of a folder, an empty object where there is none.
nlohmann::json read_if_there(const std::filesystem::path& path);

class TokenizerConfig {
 public:
  /// @throws Error naming file and field
  explicit TokenizerConfig(const std::filesystem::path& folder);

  JsonField root() const { return {value_, path_}; }
  const NamedTokens& named() const { return named_; }

 private:
  std::filesystem::path path_;
  nlohmann::json value_;
  NamedTokens named_;
};

}  // namespace rlhf::text
