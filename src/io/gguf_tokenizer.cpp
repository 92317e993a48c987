#include "rlhf/io/gguf_tokenizer.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::io {
namespace {

constexpr const char* tokens_key = "tokenizer.ggml.tokens";

std::string checked_text(const GgufMetadata& metadata, std::string_view key) {
  std::string text = metadata.text(key);
  require_utf8(text, metadata.place(key));
  return text;
}

std::vector<std::string> checked_texts(const GgufMetadata& metadata, std::string_view key) {
  std::vector<std::string> texts = metadata.texts(key);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (utf8_prefix(texts[i]) == texts[i].size()) continue;
    require_utf8(texts[i], fmt::format("{}: item {}", metadata.place(key), i));
  }
  return texts;
}

std::vector<GgufTokenKind> kinds_of(const GgufMetadata& metadata, size_t token_count) {
  constexpr const char* key = "tokenizer.ggml.token_type";
  if (!metadata.contains(key)) return std::vector(token_count, GgufTokenKind::normal);
  const std::vector<int64_t> numbers = metadata.integers(key);
  require(numbers.size() == token_count, metadata.place(key),
          fmt::format("{} kinds, one for each of the tokens", token_count), numbers.size());
  std::vector<GgufTokenKind> kinds;
  kinds.reserve(numbers.size());
  for (const int64_t number : numbers) {
    if (number < 1 || number > 6) {
      fail(fmt::format("{}: item {}", metadata.place(key), kinds.size()), "1 to 6",
           fmt::format("{}", number));
    }
    kinds.push_back(static_cast<GgufTokenKind>(number));
  }
  return kinds;
}

std::optional<int64_t> id_of(const GgufMetadata& metadata, const char* key, size_t token_count) {
  if (!metadata.contains(key)) return {};
  const int64_t id = metadata.integer(key);
  require(id >= 0 && id < static_cast<int64_t>(token_count), metadata.place(key),
          fmt::format("an id of the {} tokens", token_count), id);
  return id;
}

}  // namespace

GgufTokenizer read_gguf_tokenizer(const GgufMetadata& metadata) {
  GgufTokenizer tokenizer{.model = checked_text(metadata, "tokenizer.ggml.model"),
                          .tokens = checked_texts(metadata, tokens_key)};
  const size_t count = tokenizer.tokens.size();
  require(count > 0, metadata.place(tokens_key), "at least one token", count);
  tokenizer.kinds = kinds_of(metadata, count);
  const auto text = [&](const char* key) { return checked_text(metadata, key); };
  const auto flag = [&](const char* key) {
    return metadata.contains(key) ? std::optional(metadata.boolean(key)) : std::nullopt;
  };
  const auto id = [&](const char* key) { return id_of(metadata, key, count); };
  if (metadata.contains("tokenizer.ggml.pre")) tokenizer.pre = text("tokenizer.ggml.pre");
  if (metadata.contains("tokenizer.ggml.merges")) {
    tokenizer.merges = checked_texts(metadata, "tokenizer.ggml.merges");
  }
  tokenizer.bos = id("tokenizer.ggml.bos_token_id");
  tokenizer.eos = id("tokenizer.ggml.eos_token_id");
  tokenizer.unknown = id("tokenizer.ggml.unknown_token_id");
  tokenizer.padding = id("tokenizer.ggml.padding_token_id");
  for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    if (const std::optional<int64_t> end = id(key)) tokenizer.further_ends.push_back(*end);
  }
  tokenizer.add_bos = flag("tokenizer.ggml.add_bos_token");
  tokenizer.add_eos = flag("tokenizer.ggml.add_eos_token");
  if (metadata.contains("tokenizer.chat_template")) {
    tokenizer.chat_template = text("tokenizer.chat_template");
  }
  return tokenizer;
}

}  // namespace rlhf::io
