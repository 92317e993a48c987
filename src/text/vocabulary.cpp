#include "rlhf/text/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "rlhf/core/error.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf {
namespace {

// An id beyond the tokens leaves ids that stand for nothing. A mistaken one must not fill memory.
constexpr size_t most_empty_ids = size_t{1} << 20;

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens, std::vector<AddedToken> added)
    : added_(std::move(added)) {
  const size_t most = std::numeric_limits<int32_t>::max();
  require(tokens.size() + added_.size() <= most, "size of a vocabulary", fmt::format("<= {}", most),
          tokens.size() + added_.size());
  tokens_.reserve(tokens.size() + added_.size());
  ids_.reserve(tokens.size() + added_.size());
  for (std::string& token : tokens) insert(std::move(token));
  for (const AddedToken& token : added_) add(token);
}

int64_t Vocabulary::insert(std::string token) {
  if (!token.empty()) {
    const auto [place, is_new] = ids_.emplace(token, size());
    if (!is_new) {
      fail(fmt::format("token {:?} of a vocabulary", token), "one id",
           fmt::format("{} and {}", place->second, size()));
    }
  }
  tokens_.push_back(std::move(token));
  kinds_.push_back(TokenKind::ordinary);
  return size() - 1;
}

/// The id of an added token, which is in its place afterwards.
int64_t Vocabulary::place(const AddedToken& token) {
  if (!token.id) {
    const auto present = find(token.content);
    return present ? *present : insert(token.content);
  }
  const std::string what = fmt::format("id of the added token {:?}", token.content);
  const size_t end = tokens_.size() + most_empty_ids;
  require(*token.id >= 0 && static_cast<size_t>(*token.id) < end, what,
          fmt::format(">= 0 and < {}", end), *token.id);
  while (size() <= *token.id) insert("");
  std::string& here = tokens_[static_cast<size_t>(*token.id)];
  if (here.empty()) here = token.content;
  if (here != token.content) {
    fail(what, "one of its own", fmt::format("{}, of the token {:?}", *token.id, here));
  }
  ids_.insert_or_assign(token.content, *token.id);
  return *token.id;
}

void Vocabulary::add(const AddedToken& token) {
  require(!token.content.empty(), "AddedToken::content", "at least one character", "none");
  io::require_utf8(token.content, fmt::format("AddedToken::content {:?}", token.content));
  const int64_t id = place(token);
  is_added_.resize(tokens_.size());
  if (is_added_[static_cast<size_t>(id)] || !added_contents_.insert(token.content).second) {
    fail(fmt::format("added token {:?}", token.content), "to be added once", "twice");
  }
  is_added_[static_cast<size_t>(id)] = true;
  kinds_[static_cast<size_t>(id)] = token.kind;
  if (token.kind == TokenKind::unknown) {
    if (unknown_) fail("added tokens of kind unknown", "at most one", "two");
    unknown_ = id;
  }
  added_ids_.push_back(id);
  if (!token.normalized) matcher_.add(token, id);
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

std::vector<text::Segment> Vocabulary::segments(std::string_view text, SpecialText special) const {
  return matcher_.segments(text, special);
}

std::vector<AddedToken> default_added_tokens() {
  return {{.content = "<bos>", .kind = TokenKind::special},
          {.content = "<eos>", .kind = TokenKind::end}};
}

}  // namespace rlhf
