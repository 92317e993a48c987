#include "rlhf/io/utf8.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "rlhf/core/error.hpp"

namespace rlhf::io {

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  // The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

size_t utf8_prefix(std::string_view text) {
  size_t end = 0;
  while (const size_t length = utf8_length(text.substr(end))) end += length;
  return end;
}

void require_utf8(std::string_view text, std::string_view where) {
  const size_t valid = utf8_prefix(text);
  if (valid == text.size()) return;
  fail(where, "valid UTF-8",
       fmt::format("byte {:#04x} at offset {}", static_cast<uint8_t>(text[valid]), valid));
}

}  // namespace rlhf::io
