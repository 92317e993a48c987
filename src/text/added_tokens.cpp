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

void AddedTokens::add(const AddedToken& token, int64_t id) {
  auto& entries = by_first_byte_[static_cast<uint8_t>(token.content.front())];
  const auto shorter = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.token.content.size() < token.content.size();
  });
  entries.insert(shorter, Entry{token, id});
}

const AddedTokens::Entry* AddedTokens::at(std::string_view text, size_t place,
                                          SpecialText special) const {
  for (const Entry& entry : by_first_byte_[static_cast<uint8_t>(text[place])]) {
    if (special == SpecialText::plain && entry.token.kind != TokenKind::ordinary) continue;
    if (!text.substr(place).starts_with(entry.token.content)) continue;
    if (entry.token.whole_word && !stands_alone(text, place, entry.token.content)) continue;
    return &entry;
  }
  return nullptr;
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
