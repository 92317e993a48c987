#include "string_literal.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <array>
#include <charconv>

namespace rlhf::text::jinja {
namespace {

void append_code_point(const Work& work, uint32_t point, std::string& text) {
  if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
    work.refuse(fmt::format("U+{:X} in a string is no character", point));
  }
  std::array<utf8proc_uint8_t, 4> bytes = {};
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(point), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
}

/// The number that up to `most` digits at the start of `text` spell, and how many these are.
std::pair<uint32_t, size_t> leading_number(std::string_view text, size_t most, int base) {
  uint32_t number = 0;
  const auto end =
      std::from_chars(text.data(), text.data() + std::min(most, text.size()), number, base);
  return {number, static_cast<size_t>(end.ptr - text.data())};
}

/// Appends what the escape after a backslash stands for and says how long it is.
size_t append_escape(const Work& work, std::string_view escape, std::string& text) {
  constexpr std::string_view letters = "\\'\"abfnrtv", values = "\\'\"\a\b\f\n\r\t\v";
  const char first = escape.front();
  if (const size_t place = letters.find(first); place != letters.npos) {
    text += values[place];
    return 1;
  }
  if (first == '\n') return 1;  // the line goes on
  const size_t digits = first == 'x' ? 2 : first == 'u' ? 4 : first == 'U' ? 8 : 0;
  if (digits > 0) {
    const auto [point, count] = leading_number(escape.substr(1), digits, 16);
    if (count != digits) work.refuse(fmt::format("\\{} in a string without its digits", first));
    append_code_point(work, point, text);
    return 1 + digits;
  }
  if (first >= '0' && first <= '7') {
    const auto [point, count] = leading_number(escape, 3, 8);
    append_code_point(work, point, text);
    return count;
  }
  if (first == 'N') work.refuse("\\N in a string: write the character itself");
  text += '\\';  // Python leaves an escape that it does not know as it stands
  return 0;
}

}  // namespace

StringLiteral read_string_literal(const Work& work, std::string_view source) {
  const char quote = source.front();
  std::string value;
  for (size_t at = 1; at < source.size(); ++at) {
    if (source[at] == quote) return {std::move(value), at + 1};
    if (source[at] != '\\') {
      value += source[at];
      continue;
    }
    if (at + 1 == source.size()) break;
    at += append_escape(work, source.substr(at + 1), value);
  }
  work.refuse("a string without its end");
}

}  // namespace rlhf::text::jinja
