#include "rlhf/text/llama2c_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "merge.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"

namespace rlhf {
namespace {

constexpr int32_t first_byte = 3;     // the token of byte 0
constexpr int32_t most_bytes = 1024;  // of a token
constexpr int64_t largest_file = int64_t{1} << 28;
static_assert(std::endian::native == std::endian::little, "the file is read as it lies");

/// The bytes of a file, taken from the front.
class Reader {
 public:
  Reader(std::string_view bytes, const std::filesystem::path& path) : rest_(bytes), path_(path) {}

  std::string_view take(size_t count, std::string_view what) {
    require(count <= rest_.size(), fmt::format("{}: {}", path_.string(), what),
            fmt::format("{} bytes", count), fmt::format("{} before the end", rest_.size()));
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  const std::filesystem::path& path_;
};

std::string spelt_byte(int byte) {
  return fmt::format("<0x{:02X}>", byte);
}

/// Dense ranks: 0 for the highest score.
std::vector<int32_t> ranks_of(const std::vector<float>& scores) {
  std::vector<float> distinct = scores;
  std::sort(distinct.begin(), distinct.end(), std::greater<>());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<int32_t> ranks;
  for (float score : scores) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), score, std::greater<>());
    ranks.push_back(static_cast<int32_t>(place - distinct.begin()));
  }
  return ranks;
}

void require_bytes_in_place(const std::vector<std::string>& tokens,
                            const std::filesystem::path& path) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto id = static_cast<size_t>(byte + first_byte);
    require(tokens[id] == spelt_byte(byte), fmt::format("{}: token {}", path.string(), id),
            spelt_byte(byte), fmt::format("{:?}", tokens[id]));
  }
}

struct Contents {
  std::vector<std::string> tokens;
  std::vector<float> scores;
};

Contents read_contents(const std::filesystem::path& path, int64_t vocabulary_size) {
  const std::string bytes = io::read_file(path, largest_file);
  Reader reader(bytes, path);
  const auto longest = reader.number<int32_t>("longest token");
  require(longest >= 1 && longest <= most_bytes, path.string() + ": longest token",
          fmt::format(">= 1 and <= {}", most_bytes), longest);
  Contents contents;
  for (int64_t id = 0; id < vocabulary_size; ++id) {
    const std::string what = fmt::format("token {} of {}", id, vocabulary_size);
    const auto score = reader.number<float>(what);
    require(std::isfinite(score), fmt::format("{}: score of {}", path.string(), what),
            "a finite number", score);
    const auto length = reader.number<int32_t>(what);
    require(length >= 1 && length <= longest, fmt::format("{}: length of {}", path.string(), what),
            fmt::format(">= 1 and <= {}", longest), length);
    contents.scores.push_back(score);
    contents.tokens.emplace_back(reader.take(static_cast<size_t>(length), what));
  }
  require(reader.left() == 0,
          fmt::format("{}: bytes after {} tokens", path.string(), vocabulary_size), 0,
          reader.left());
  return contents;
}

std::vector<AddedToken> marks_of(const std::vector<std::string>& tokens) {
  return {{.content = tokens[0], .kind = TokenKind::unknown},
          {.content = tokens[Llama2cTokenizer::bos], .kind = TokenKind::end},
          {.content = tokens[Llama2cTokenizer::eos], .kind = TokenKind::end}};
}

}  // namespace

struct Llama2cTokenizer::Tables {
  explicit Tables(const Contents& contents)
      : vocabulary(contents.tokens, marks_of(contents.tokens)),
        space(static_cast<int32_t>(vocabulary.id_of(" "))) {
    const std::vector<int32_t> ranks = ranks_of(contents.scores);
    for (size_t id = 0; id < ranks.size(); ++id) {
      add_merges(contents.tokens[id], {ranks[id], static_cast<int32_t>(id)});
    }
  }

  /// Any two tokens that spell a third merge to it.
  void add_merges(std::string_view token, const text::Merge& merge) {
    for (size_t cut = 1; cut < token.size(); ++cut) {
      const auto left = vocabulary.find(token.substr(0, cut));
      const auto right = vocabulary.find(token.substr(cut));
      if (!left || !right) continue;
      merges.add(static_cast<int32_t>(*left), static_cast<int32_t>(*right), merge);
    }
  }

  std::vector<int64_t> encode(std::string_view text, std::vector<int32_t> symbols) const;

  Vocabulary vocabulary;
  int32_t space;
  text::MergeTable merges;
};

/// What the text's characters, put after `symbols`, merge to.
std::vector<int64_t> Llama2cTokenizer::Tables::encode(std::string_view text,
                                                      std::vector<int32_t> symbols) const {
  const auto continues = [&](size_t at) {
    return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
  };
  for (size_t start = 0; start < text.size();) {
    // A character as llama2.c sees it: any byte, and up to three continuation bytes.
    size_t end = start + 1;
    while (end - start < 4 && continues(end)) ++end;
    const std::string_view character = text.substr(start, end - start);
    if (const auto id = vocabulary.find(character)) {
      symbols.push_back(static_cast<int32_t>(*id));
    } else {
      for (char byte : character) symbols.push_back(first_byte + static_cast<uint8_t>(byte));
    }
    start = end;
  }
  symbols = text::merge_pairs(symbols, merges);
  return {symbols.begin(), symbols.end()};
}

Llama2cTokenizer Llama2cTokenizer::load(const std::filesystem::path& path,
                                        int64_t vocabulary_size) {
  require(vocabulary_size >= first_byte + 256, "vocabulary_size", ">= 259", vocabulary_size);
  const Contents contents = read_contents(path, vocabulary_size);
  require_bytes_in_place(contents.tokens, path);
  try {
    return Llama2cTokenizer(std::make_shared<const Tables>(contents));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path.string(), error.what()));
  }
}

std::vector<int64_t> Llama2cTokenizer::encode(std::string_view text) const {
  if (text.empty()) return {};
  return tables_->encode(text, {tables_->space});
}

std::vector<int64_t> Llama2cTokenizer::encode_prompt(std::string_view text) const {
  std::vector<int64_t> ids = encode(text);
  ids.insert(ids.begin(), bos);
  return ids;
}

std::vector<int64_t> Llama2cTokenizer::encode_continuation(std::string_view text) const {
  return tables_->encode(text, {});
}

const Vocabulary& Llama2cTokenizer::vocabulary() const {
  return tables_->vocabulary;
}

std::string Llama2cTokenizer::decode(std::span<const int64_t> ids, SpecialTokens special) const {
  std::string text;
  int64_t previous = eos;
  for (int64_t id : ids) {
    std::string_view token = vocabulary().token_of(id);
    if (previous == bos && token.starts_with(' ')) token.remove_prefix(1);
    previous = id;
    if (special == SpecialTokens::drop && vocabulary().kind_of(id) != TokenKind::ordinary) continue;
    if (id >= first_byte && id < first_byte + 256) {
      text += static_cast<char>(id - first_byte);
    } else {
      text += token;
    }
  }
  return text;
}

}  // namespace rlhf
