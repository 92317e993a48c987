// ByteLevelBpe in a folder: tokenizer.json, and who is who among its tokens in files beside it.
#include <fmt/format.h>

#include <algorithm>

#include "bpe_tables.hpp"
#include "named_tokens.hpp"
#include "rlhf/io/files.hpp"
#include "tokenizer_json.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

/// Gives a token its kind; a token of the model that only a role makes special becomes an added
/// one.
AddedToken& set_kind(BpeParts& parts, const std::string& content, TokenKind kind,
                     const std::string& where) {
  const auto place = std::find_if(parts.added.begin(), parts.added.end(),
                                  [&](const auto& token) { return token.content == content; });
  if (place != parts.added.end()) {
    place->kind = kind;
    return *place;
  }
  const auto token = std::find(parts.tokens.begin(), parts.tokens.end(), content);
  if (token == parts.tokens.end()) {
    fail(where, "a token of tokenizer.json", fmt::format("{:?}", content));
  }
  parts.added.push_back({.content = content, .kind = kind, .id = token - parts.tokens.begin()});
  return parts.added.back();
}

AddedToken& set_end_by_id(BpeParts& parts, const text::JsonField& field) {
  const int64_t id = field.id();
  const auto place = std::find_if(parts.added.begin(), parts.added.end(),
                                  [&](const auto& token) { return token.id == id; });
  if (place != parts.added.end()) {
    place->kind = TokenKind::end;
    return *place;
  }
  const bool known = static_cast<size_t>(id) < parts.tokens.size() &&
                     !parts.tokens[static_cast<size_t>(id)].empty();
  if (!known) field.refuse("the id of a token of tokenizer.json");
  parts.added.push_back(
      {.content = parts.tokens[static_cast<size_t>(id)], .kind = TokenKind::end, .id = id});
  return parts.added.back();
}

/// Marks the tokens that end a response. They come first among the added tokens, in their order:
/// the first is what is put behind a response that is written down.
void set_ends(BpeParts& parts, const text::JsonField& config, const text::JsonField& generation) {
  std::vector<int64_t> ends;
  const auto end = [&](const AddedToken& token) {
    if (std::find(ends.begin(), ends.end(), *token.id) == ends.end()) ends.push_back(*token.id);
  };
  if (const auto saved = config.find("end_tokens")) {  // save() writes it
    for (size_t i = 0; i < saved->size(); ++i) {
      end(set_kind(parts, saved->at(i).string(), TokenKind::end, saved->at(i).where()));
    }
  } else {
    if (const auto& eos = parts.rules.named.eos) {
      end(set_kind(parts, *eos, TokenKind::end, config.where() + ": eos_token"));
    }
    if (const auto ids = generation.find("eos_token_id"); ids && ids->value().is_array()) {
      for (size_t i = 0; i < ids->size(); ++i) end(set_end_by_id(parts, ids->at(i)));
    } else if (ids) {
      end(set_end_by_id(parts, *ids));
    }
  }
  std::stable_sort(parts.added.begin(), parts.added.end(), [&](const auto& a, const auto& b) {
    return std::find(ends.begin(), ends.end(), *a.id) < std::find(ends.begin(), ends.end(), *b.id);
  });
}

}  // namespace

ByteLevelBpe ByteLevelBpe::load(const fs::path& folder) {
  const fs::path path = folder / "tokenizer.json";
  BpeParts parts = text::read_tokenizer_json(path);
  const text::TokenizerConfig config(folder);
  const text::JsonField root = config.root();
  const json generation = text::read_if_there(folder / "generation_config.json");
  parts.rules.named = config.named();
  const NamedTokens& named = parts.rules.named;
  const auto set_named = [&](const char* key, const auto& token, TokenKind kind) {
    if (token) set_kind(parts, *token, kind, root.where() + ": " + key);
  };
  set_named("bos_token", named.bos, TokenKind::special);
  set_named("pad_token", named.pad, TokenKind::special);
  set_named("unk_token", named.unk, TokenKind::unknown);
  set_ends(parts, root, {generation, folder / "generation_config.json"});
  try {
    return ByteLevelBpe(std::move(parts));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path.string(), error.what()));
  }
}

void ByteLevelBpe::save(const fs::path& folder) const {
  const std::string contents = text::tokenizer_json(*this).dump(2) + '\n';
  std::vector<std::string> ends;
  for (int64_t id : end_tokens()) ends.push_back(vocabulary().token_of(id));
  NamedTokens named = rules().named;
  if (!named.eos && !ends.empty()) named.eos = ends.front();
  if (const auto unknown = vocabulary().unknown_token(); unknown && !named.unk) {
    named.unk = vocabulary().token_of(*unknown);
  }
  ordered_json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}};
  for (const auto& [key, token] :
       {std::pair("bos_token", named.bos), std::pair("eos_token", named.eos),
        std::pair("pad_token", named.pad), std::pair("unk_token", named.unk)}) {
    if (token) config[key] = *token;
  }
  config["end_tokens"] = ends;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(fmt::format("{}: cannot make the folder: {}", folder.string(), error.message()));
  io::write_file_atomically(folder / "tokenizer.json", contents);
  io::write_file_atomically(folder / "tokenizer_config.json", config.dump(2) + '\n');
}

}  // namespace rlhf
