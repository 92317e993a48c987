/// Characters by their number.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace rlhf::test
