#include "rlhf/text/added_tokens.hpp"

#include <algorithm>

#include "characters.hpp"

namespace rlhf::text {
namespace {

/// Whether a word would go on from one side of a boundary to the other.
bool joins_word(std::string_view before, std::string_view after) {
  const std::string_view left = last_character(before), right = first_character(after);
  return !left.empty() && !right.empty() && is_word_character(left) && is_word_character(right);
}

bool stands_alone(std::string_view text, size_t at, std::string_view token) {
  const std::string_view after = text.substr(at + token.size());
  return !joins_word(text.substr(0, at), token) && !joins_word(token, after);
}

/// The rule of `tokenizers` for single_word: only the neighbours count.
bool has_no_word_beside(std::string_view text, size_t at, size_t length) {
  const std::string_view left = last_character(text.substr(0, at));
  const std::string_view right = first_character(text.substr(at + length));
  return (left.empty() || !is_rust_word_character(left)) &&
         (right.empty() || !is_rust_word_character(right));
}

}  // namespace

AddedTokens::AddedTokens() {
  roots_.fill(-1);
}

int32_t AddedTokens::child(int32_t node, char byte) const {
  for (const auto& [each, next] : nodes_[static_cast<size_t>(node)].children) {
    if (each == byte) return next;
  }
  return -1;
}

void AddedTokens::add(const AddedToken& token, int64_t id) {
  const auto make = [&] {
    nodes_.emplace_back();
    return static_cast<int32_t>(nodes_.size() - 1);
  };
  int32_t& root = roots_[static_cast<uint8_t>(token.content.front())];
  if (root < 0) root = make();
  int32_t node = root;
  for (char byte : std::string_view(token.content).substr(1)) {
    int32_t next = child(node, byte);
    if (next < 0) {
      next = make();
      nodes_[static_cast<size_t>(node)].children.emplace_back(byte, next);
    }
    node = next;
  }
  nodes_[static_cast<size_t>(node)].entry = static_cast<int32_t>(entries_.size());
  entries_.push_back({token, id});
}

bool AddedTokens::fits(const Entry& entry, std::string_view text, size_t place,
                       SpecialText special) const {
  if (special == SpecialText::plain && entry.token.kind != TokenKind::ordinary) return false;
  return !entry.token.whole_word || stands_alone(text, place, entry.token.content);
}

/// The longest token that stands at a place and fits.
const AddedTokens::Entry* AddedTokens::at(std::string_view text, size_t place,
                                          SpecialText special) const {
  const Entry* longest = nullptr;
  int32_t node = roots_[static_cast<uint8_t>(text[place])];
  for (size_t next = place + 1; node >= 0; ++next) {
    if (const auto found = nodes_[static_cast<size_t>(node)].entry) {
      const Entry& entry = entries_[static_cast<size_t>(*found)];
      if (fits(entry, text, place, special)) longest = &entry;
    }
    node = next < text.size() ? child(node, text[next]) : -1;
  }
  return longest;
}

std::vector<Segment> AddedTokens::segments(std::string_view text, SpecialText special) const {
  std::vector<Segment> found;
  size_t done = 0;  // may lie past the place that is looked at: a token took the space after it
  for (size_t place = 0; place < text.size();) {
    const Entry* entry = at(text, place, special);
    if (entry == nullptr) {
      ++place;
      continue;
    }
    size_t start = place, end = place + entry->token.content.size();
    place = end;
    if (entry->token.single_word && !has_no_word_beside(text, start, end - start)) continue;
    if (entry->token.strip_left) {
      start = std::max(done, start - trailing_white_space(text.substr(0, start)));
    }
    if (entry->token.strip_right) end += leading_white_space(text.substr(end));
    if (start > done) found.push_back({text.substr(done, start - done)});
    found.push_back({text.substr(start, end - start), entry->id});
    done = end;
  }
  if (done < text.size()) found.push_back({text.substr(done)});
  return found;
}

}  // namespace rlhf::text
