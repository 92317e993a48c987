/// Characters by their number, and text as programs show it that know no other bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rlhf/io/utf8.hpp"

namespace rlhf::test {

/// The UTF-8 of a code point; surrogates, too, come out as the bytes they would have.
inline std::string utf8(uint32_t point) {
  std::string text;
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
    return text;
  }
  const uint32_t tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  put((tail == 1 ? 0xC0U : tail == 2 ? 0xE0U : 0xF0U) | point >> (6 * tail));
  for (uint32_t left = tail; left > 0; --left) put(0x80 | (point >> (6 * (left - 1)) & 0x3F));
  return text;
}

/// U+FFFD for each longest stretch of bytes that begins a character and does not end it, and for
/// each byte that begins none (Unicode 15, section 3.9).
inline std::string lossy(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    size_t length = io::utf8_length(bytes);
    if (length > 0) {
      text += bytes.substr(0, length);
    } else {
      text += "\uFFFD";
      length = 1;
      for (size_t more = 2; more <= 3 && more <= bytes.size(); ++more) {
        // Some continuation makes a character of a stretch that begins one.
        const auto completes = [&](char byte) {
          return io::utf8_length(std::string(bytes.substr(0, more)) + byte) == more + 1 ||
                 io::utf8_length(std::string(bytes.substr(0, more)) + byte + byte) == more + 2;
        };
        if (completes('\x80') || completes('\xbf')) length = more;
      }
    }
    bytes.remove_prefix(length);
  }
  return text;
}

}  // namespace rlhf::test
