#include "rlhf/text/gguf_tokenizer.hpp"

#include <algorithm>
#include <array>

namespace rlhf {
namespace {

struct Family {
  const char* name;
  BpeFamily family;
};
constexpr std::array<Family, 4> families = {{{"gpt-2", BpeFamily::gpt2},
                                             {"smollm", BpeFamily::smollm},
                                             {"llama-bpe", BpeFamily::llama3},
                                             {"qwen2", BpeFamily::qwen2}}};

std::optional<std::string> text_of(const io::GgufTokenizer& stored, std::optional<int64_t> id,
                                   const char* name) {
  if (!id) return std::nullopt;
  const auto count = std::ssize(stored.tokens);
  require(*id >= 0 && *id < count, name, "an id of the " + std::to_string(count) + " tokens", *id);
  return stored.tokens[static_cast<size_t>(*id)];
}

}  // namespace

ByteLevelBpe gguf_tokenizer(const io::GgufTokenizer& stored) {
  require(stored.model == "gpt2", "tokenizer.ggml.model", "gpt2", stored.model);
  const auto known = std::ranges::find_if(
      families, [&](const Family& family) { return stored.pre == family.name; });
  require(known != families.end(), "tokenizer.ggml.pre", "gpt-2, smollm, llama-bpe or qwen2",
          stored.pre);
  BpeTable table{.tokens = stored.tokens, .merges = stored.merges, .family = known->family};
  const auto ends = [&](int64_t id) {
    return stored.eos == id ||
           std::ranges::find(stored.further_ends, id) != stored.further_ends.end();
  };
  for (int64_t id = 0; id < std::ssize(stored.kinds); ++id) {
    const io::GgufTokenKind kind = stored.kinds[static_cast<size_t>(id)];
    if (ends(id)) {
      table.added.push_back({.id = id, .kind = TokenKind::end});
    } else if (kind == io::GgufTokenKind::control || kind == io::GgufTokenKind::unknown) {
      table.added.push_back({.id = id, .kind = TokenKind::special});
    } else if (kind == io::GgufTokenKind::user_defined) {
      table.added.push_back({.id = id, .kind = TokenKind::ordinary});
    }
  }
  if (stored.add_bos.value_or(false) && stored.bos) table.marks.before = {*stored.bos};
  if (stored.add_eos.value_or(false) && stored.eos) table.marks.after = {*stored.eos};
  return byte_level_bpe(table);
}

ChatTemplate gguf_chat_template(const io::GgufTokenizer& stored) {
  require(stored.chat_template.has_value(), "tokenizer.chat_template", "a template", "none");
  return ChatTemplate(*stored.chat_template,
                      {.bos = text_of(stored, stored.bos, "tokenizer.ggml.bos_token_id"),
                       .eos = text_of(stored, stored.eos, "tokenizer.ggml.eos_token_id"),
                       .pad = text_of(stored, stored.padding, "tokenizer.ggml.padding_token_id"),
                       .unk = text_of(stored, stored.unknown, "tokenizer.ggml.unknown_token_id")});
}

}  // namespace rlhf
