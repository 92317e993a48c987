#include "rlhf/text/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "pattern.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf {
namespace {

/// The character that ends at the end of `text`; empty where none does.
std::string_view last_character(std::string_view text) {
  for (size_t length = 1; length <= std::min<size_t>(4, text.size()); ++length) {
    const std::string_view tail = text.substr(text.size() - length);
    if (io::utf8_length(tail) == length) return tail;
  }
  return {};
}

std::string_view first_character(std::string_view text) {
  return text.substr(0, io::utf8_length(text));
}

/// Whether a word would go on from one side of a boundary to the other.
bool joins_word(std::string_view before, std::string_view after) {
  const std::string_view left = last_character(before), right = first_character(after);
  return !left.empty() && !right.empty() && text::is_word_character(left) &&
         text::is_word_character(right);
}

bool stands_alone(std::string_view text, size_t at, std::string_view token) {
  const std::string_view after = text.substr(at + token.size());
  return !joins_word(text.substr(0, at), token) && !joins_word(token, after);
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens, std::vector<AddedToken> added)
    : added_(std::move(added)) {
  const size_t most = std::numeric_limits<int32_t>::max();
  require(tokens.size() + added_.size() <= most, "size of a vocabulary", fmt::format("<= {}", most),
          tokens.size() + added_.size());
  tokens_.reserve(tokens.size() + added_.size());
  ids_.reserve(tokens.size() + added_.size());
  for (std::string& token : tokens) insert(std::move(token));
  kinds_.assign(tokens_.size(), TokenKind::ordinary);
  for (const AddedToken& token : added_) add(token);
  for (auto& places : added_by_first_byte_) {
    std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) {
      return added_[a].content.size() > added_[b].content.size();
    });
  }
}

int64_t Vocabulary::insert(std::string token) {
  require(!token.empty(), "token of a vocabulary", "at least one byte", "none");
  const auto [place, is_new] = ids_.emplace(token, size());
  if (!is_new) {
    fail(fmt::format("token {:?} of a vocabulary", token), "one id",
         fmt::format("{} and {}", place->second, size()));
  }
  tokens_.push_back(std::move(token));
  return place->second;
}

void Vocabulary::add(const AddedToken& token) {
  require(!token.content.empty(), "AddedToken::content", "at least one character", "none");
  io::require_utf8(token.content, fmt::format("AddedToken::content {:?}", token.content));
  const auto present = find(token.content);
  const int64_t id = present ? *present : insert(token.content);
  if (!present) kinds_.push_back(TokenKind::ordinary);
  if (std::find(added_ids_.begin(), added_ids_.end(), id) != added_ids_.end()) {
    fail(fmt::format("added token {:?}", token.content), "to be added once", "twice");
  }
  kinds_[static_cast<size_t>(id)] = token.kind;
  if (token.kind == TokenKind::unknown) {
    if (unknown_) fail("added tokens of kind unknown", "at most one", "two");
    unknown_ = id;
  }
  const auto first = static_cast<uint8_t>(token.content.front());
  added_by_first_byte_[first].push_back(added_ids_.size());
  added_ids_.push_back(id);
}

const std::string& Vocabulary::token_of(int64_t id) const {
  require(id >= 0 && id < size(), "token id", fmt::format(">= 0 and < {}", size()), id);
  return tokens_[static_cast<size_t>(id)];
}

std::optional<int64_t> Vocabulary::find(std::string_view token) const {
  const auto place = ids_.find(token);
  if (place == ids_.end()) return std::nullopt;
  return place->second;
}

int64_t Vocabulary::id_of(std::string_view token) const {
  const auto id = find(token);
  if (!id) fail("token", "one of the vocabulary", fmt::format("{:?}", token));
  return *id;
}

TokenKind Vocabulary::kind_of(int64_t id) const {
  token_of(id);
  return kinds_[static_cast<size_t>(id)];
}

std::vector<int64_t> Vocabulary::end_tokens() const {
  std::vector<int64_t> ends;
  for (size_t i = 0; i < added_.size(); ++i) {
    if (added_[i].kind == TokenKind::end) ends.push_back(added_ids_[i]);
  }
  return ends;
}

std::string Vocabulary::decode(std::span<const int64_t> ids, SpecialTokens special) const {
  std::string text;
  for (int64_t id : ids) {
    const std::string& token = token_of(id);
    const bool hidden = special == SpecialTokens::drop && kind_of(id) != TokenKind::ordinary;
    if (!hidden) text += token;
  }
  return text;
}

std::optional<size_t> Vocabulary::added_at(std::string_view text, size_t at,
                                           SpecialText special) const {
  for (size_t place : added_by_first_byte_[static_cast<uint8_t>(text[at])]) {
    const AddedToken& token = added_[place];
    if (special == SpecialText::plain && token.kind != TokenKind::ordinary) continue;
    if (!text.substr(at).starts_with(token.content)) continue;
    if (token.whole_word && !stands_alone(text, at, token.content)) continue;
    return place;
  }
  return std::nullopt;
}

std::vector<text::Segment> Vocabulary::segments(std::string_view text, SpecialText special) const {
  std::vector<text::Segment> found;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const auto place = added_at(text, at, special);
    if (!place) {
      ++at;
      continue;
    }
    if (at > start) found.push_back({text.substr(start, at - start)});
    const size_t length = added_[*place].content.size();
    found.push_back({text.substr(at, length), added_ids_[*place]});
    start = at += length;
  }
  if (start < text.size()) found.push_back({text.substr(start)});
  return found;
}

std::vector<AddedToken> default_added_tokens() {
  return {{.content = "<bos>", .kind = TokenKind::special},
          {.content = "<eos>", .kind = TokenKind::end}};
}

}  // namespace rlhf
