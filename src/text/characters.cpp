#include "characters.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pattern.hpp"
#include "rlhf/io/utf8.hpp"
#include "unicode_sets.hpp"

namespace rlhf::text {
namespace {

bool is_ascii_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace

std::string_view first_character(std::string_view text) {
  return text.substr(0, io::utf8_length(text));
}

std::string_view last_character(std::string_view text) {
  for (size_t length = 1; length <= std::min<size_t>(4, text.size()); ++length) {
    const std::string_view tail = text.substr(text.size() - length);
    if (io::utf8_length(tail) == length) return tail;
  }
  return {};
}

char32_t code_point(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(character[i]); };
  if (character.size() == 1) return byte(0);
  char32_t point = byte(0) & (0x7FU >> character.size());
  for (size_t i = 1; i < character.size(); ++i) point = point << 6 | (byte(i) & 0x3FU);
  return point;
}

bool is_white_space(char32_t point) {
  return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 || point == 0xA0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
         point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

size_t leading_white_space(std::string_view text) {
  size_t bytes = 0;
  for (;;) {
    const std::string_view next = first_character(text.substr(bytes));
    if (next.empty() || !is_white_space(code_point(next))) return bytes;
    bytes += next.size();
  }
}

size_t trailing_white_space(std::string_view text) {
  size_t bytes = 0;
  for (;;) {
    const std::string_view next = last_character(text.substr(0, text.size() - bytes));
    if (next.empty() || !is_white_space(code_point(next))) return bytes;
    bytes += next.size();
  }
}

bool is_word_character(std::string_view character) {
  static const Pattern word(fmt::format(R"([{}{}\p{{M}}_])", letters(), numbers()));
  if (character.size() == 1) return is_ascii_word(character.front());
  return word.matches(character);
}

bool is_rust_word_character(std::string_view character) {
  static const Pattern word(fmt::format(R"([{}\x{{200C}}\x{{200D}}])", word_characters()));
  if (character.size() == 1) return is_ascii_word(character.front());
  return word.matches(character);
}

}  // namespace rlhf::text
