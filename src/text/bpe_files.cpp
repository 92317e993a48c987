// Loading and saving of ByteLevelBpe: GPT-2's two files, and a third for what they cannot say.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bpe_tables.hpp"
#include "byte_alphabet.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t largest_vocabulary_file = int64_t{1} << 28;
constexpr std::string_view merges_head = "#version: 0.2\n";

constexpr std::array<std::string_view, 4> kind_names = {"ordinary", "special", "end", "unknown"};

std::string bytes_of(std::string_view characters, std::string_view where) {
  auto bytes = text::from_byte_alphabet(characters);
  if (!bytes) fail(where, "characters of GPT-2's byte alphabet", fmt::format("{:?}", characters));
  return *std::move(bytes);
}

std::vector<std::string> read_tokens(const fs::path& path) {
  const json entries = io::read_json(path, largest_vocabulary_file);
  require(entries.is_object(), path.string(), "an object of tokens and ids", entries.type_name());
  std::vector<std::string> tokens(entries.size());
  for (const auto& [token, id] : entries.items()) {
    const std::string where = fmt::format("{}: id of {:?}", path.string(), token);
    const std::string range = fmt::format(">= 0 and < {}, the number of tokens", entries.size());
    require(id.is_number_unsigned(), where, range, id.dump());
    require(id.get<uint64_t>() < entries.size(), where, range, id.dump());
    std::string& place = tokens[id.get<size_t>()];
    if (!place.empty())
      fail(where, "an id of its own", fmt::format("{}, as {:?}", id.dump(), place));
    place = bytes_of(token, path.string());
    require(!place.empty(), path.string() + ": token", "at least one byte", "none");
  }
  return tokens;
}

/// Calls visit(left, right, line number) for each merge of a vocab.bpe.
template <class Visit>
void read_merges(const fs::path& path, Visit&& visit) {
  const std::string contents = io::read_file(path, largest_vocabulary_file);
  std::string_view rest = contents;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::string where = fmt::format("{}:{}", path.string(), number);
    const size_t space = line.find(' ');
    if (space == line.npos || space == 0 || space + 1 == line.size()) {
      fail(where, "two tokens with a space between", fmt::format("{:?}", line));
    }
    visit(bytes_of(line.substr(0, space), where), bytes_of(line.substr(space + 1), where), where);
  }
}

const json& member(const json& object, const char* key, json::value_t type, const fs::path& path) {
  const auto place = object.find(key);
  const std::string_view expected = json(type).type_name();
  const std::string where = fmt::format("{}: \"{}\"", path.string(), key);
  require(place != object.end(), where, expected, "none");
  require(place->type() == type, where, expected, place->type_name());
  return *place;
}

std::pair<std::vector<AddedToken>, std::string> read_extras(const fs::path& path) {
  const json extras = io::read_json(path, largest_vocabulary_file);
  require(extras.is_object(), path.string(), "an object", extras.type_name());
  std::vector<AddedToken> added;
  for (const json& entry : member(extras, "added_tokens", json::value_t::array, path)) {
    require(entry.is_object(), path.string() + ": added token", "an object", entry.type_name());
    const std::string kind = member(entry, "kind", json::value_t::string, path);
    const auto place = std::find(kind_names.begin(), kind_names.end(), kind);
    require(place != kind_names.end(), path.string() + ": \"kind\"",
            "ordinary, special, end or unknown", kind);
    added.push_back({.content = member(entry, "content", json::value_t::string, path),
                     .kind = static_cast<TokenKind>(place - kind_names.begin()),
                     .whole_word = member(entry, "whole_word", json::value_t::boolean, path)});
  }
  return {std::move(added), member(extras, "split_pattern", json::value_t::string, path)};
}

}  // namespace

std::shared_ptr<ByteLevelBpe::Tables> ByteLevelBpe::read(const fs::path& encoder_json,
                                                         const fs::path& vocab_bpe,
                                                         std::vector<AddedToken> added,
                                                         std::string split_pattern) {
  std::vector<std::string> tokens = read_tokens(encoder_json);
  const size_t count = tokens.size();
  std::shared_ptr<Tables> tables;
  try {
    tables =
        std::make_shared<Tables>(std::move(tokens), std::move(added), std::move(split_pattern));
    for (size_t id = count; id < static_cast<size_t>(tables->vocabulary.size()); ++id) {
      const auto& token = tables->vocabulary.token_of(static_cast<int64_t>(id));
      fail(fmt::format("added token {:?}", token), "an id", "none");
    }
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", encoder_json.string(), error.what()));
  }
  read_merges(vocab_bpe,
              [&](const std::string& left, const std::string& right, const std::string& where) {
                tables->add_merge(left, right, [&] { return where; });
              });
  tables->require_special_tokens_apart();
  return tables;
}

ByteLevelBpe ByteLevelBpe::load(const fs::path& encoder_json, const fs::path& vocab_bpe,
                                std::vector<AddedToken> added) {
  return ByteLevelBpe(read(encoder_json, vocab_bpe, std::move(added), gpt2_split_pattern()));
}

ByteLevelBpe ByteLevelBpe::load(const fs::path& folder) {
  auto [added, split_pattern] = read_extras(folder / "bpe.json");
  return ByteLevelBpe(read(folder / "encoder.json", folder / "vocab.bpe", std::move(added),
                           std::move(split_pattern)));
}

void ByteLevelBpe::save(const fs::path& folder) const {
  json encoder = json::object();
  for (int64_t id = 0; id < vocabulary().size(); ++id) {
    encoder[text::to_byte_alphabet(vocabulary().token_of(id))] = id;
  }
  std::string lines(merges_head);
  for (const auto& [left, right] : merges()) {
    lines += text::to_byte_alphabet(left) + ' ' + text::to_byte_alphabet(right) + '\n';
  }
  json extras = {{"split_pattern", split_pattern()}, {"added_tokens", json::array()}};
  for (const AddedToken& token : vocabulary().added_tokens()) {
    extras["added_tokens"].push_back({{"content", token.content},
                                      {"kind", kind_names[static_cast<size_t>(token.kind)]},
                                      {"whole_word", token.whole_word}});
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(fmt::format("{}: cannot make the folder: {}", folder.string(), error.message()));
  io::write_file_atomically(folder / "encoder.json", encoder.dump() + '\n');
  io::write_file_atomically(folder / "vocab.bpe", lines);
  io::write_file_atomically(folder / "bpe.json", extras.dump(2) + '\n');
}

}  // namespace rlhf
