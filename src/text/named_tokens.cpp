#include "named_tokens.hpp"

#include "rlhf/io/json.hpp"

namespace rlhf::text {
namespace {

constexpr int64_t largest_configuration = int64_t{1} << 26;

/// "<eos>" or {"content": "<eos>", ...}
std::optional<std::string> named_token(const JsonField& root, const std::string& key) {
  const auto field = root.find(key);
  if (!field) return std::nullopt;
  return field->value().is_object() ? field->at("content").string() : field->string();
}

}  // namespace

nlohmann::json read_if_there(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nlohmann::json::object();
  return io::read_json(path, largest_configuration);
}

TokenizerConfig::TokenizerConfig(const std::filesystem::path& folder)
    : path_(folder / "tokenizer_config.json"), value_(read_if_there(path_)) {
  const std::filesystem::path map_path = folder / "special_tokens_map.json";
  const nlohmann::json map = read_if_there(map_path);
  const auto name = [&](const std::string& key) {
    auto token = named_token(root(), key);
    return token ? token : named_token(JsonField(map, map_path), key);
  };
  named_ = {.bos = name("bos_token"),
            .eos = name("eos_token"),
            .pad = name("pad_token"),
            .unk = name("unk_token")};
}

}  // namespace rlhf::text
