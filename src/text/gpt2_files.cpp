// GPT-2's two files: encoder.json and vocab.bpe.
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

constexpr int64_t largest_gpt2_file = int64_t{1} << 28;

std::string bytes_of(std::string_view characters, std::string_view where) {
  auto bytes = text::from_byte_alphabet(characters);
  if (!bytes) fail(where, "characters of GPT-2's byte alphabet", fmt::format("{:?}", characters));
  return *std::move(bytes);
}

std::vector<std::string> read_tokens(const fs::path& path) {
  const json entries = io::read_json(path, largest_gpt2_file);
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

/// The merges of a vocab.bpe and the lines they stand on.
struct MergesFile {
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<int64_t> lines;
};

MergesFile read_merges(const fs::path& path) {
  const std::string contents = io::read_file(path, largest_gpt2_file);
  std::string_view rest = contents;
  MergesFile file;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::string where = fmt::format("{}:{}", path.string(), number);
    const size_t space = line.find(' ');
    if (space == line.npos || space == 0 || space + 1 == line.size()) {
      fail(where, "two tokens with a space between", fmt::format("{:?}", line));
    }
    file.merges.emplace_back(bytes_of(line.substr(0, space), where),
                             bytes_of(line.substr(space + 1), where));
    file.lines.push_back(number);
  }
  return file;
}

void require_ids(const std::vector<AddedToken>& added, const std::vector<std::string>& tokens) {
  for (const AddedToken& token : added) {
    if (token.id || std::find(tokens.begin(), tokens.end(), token.content) != tokens.end()) {
      continue;
    }
    fail(fmt::format("added token {:?}", token.content), "an id", "none");
  }
}

}  // namespace

ByteLevelBpe ByteLevelBpe::load(const fs::path& encoder_json, const fs::path& vocab_bpe,
                                std::vector<AddedToken> added) {
  std::vector<std::string> tokens = read_tokens(encoder_json);
  auto tables = std::make_shared<Tables>(BpeRules{});
  Tables::Ids known;
  try {
    require_ids(added, tokens);
    known = tables->set_vocabulary(std::move(tokens), std::move(added));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", encoder_json.string(), error.what()));
  }
  const auto [merges, lines] = read_merges(vocab_bpe);
  tables->set_merges(merges, std::move(known), [&, &lines = lines](size_t merge) {
    return fmt::format("{}:{}", vocab_bpe.string(), lines[merge]);
  });
  return ByteLevelBpe(std::move(tables));
}

}  // namespace rlhf
