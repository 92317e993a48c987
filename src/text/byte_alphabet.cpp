#include "byte_alphabet.hpp"

#include "rlhf/io/utf8.hpp"

namespace rlhf::text {
namespace {

constexpr uint32_t largest_character = 0x143;

bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// Printable bytes are the character of their number; the others, in turn, those from U+0100 on.
struct Alphabet {
  std::array<uint8_t, 256> in_order = {};
  std::array<std::string, 256> characters;
  std::array<int16_t, largest_character + 1> bytes;

  Alphabet() {
    bytes.fill(-1);
    size_t place = 0;
    uint32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      if (is_printable(byte)) in_order[place++] = static_cast<uint8_t>(byte);
    }
    for (int byte = 0; byte < 256; ++byte) {
      if (!is_printable(byte)) in_order[place++] = static_cast<uint8_t>(byte);
      const uint32_t point = is_printable(byte) ? static_cast<uint32_t>(byte) : next++;
      bytes[point] = static_cast<int16_t>(byte);
      characters[static_cast<size_t>(byte)] = spell(point);
    }
  }

  static std::string spell(uint32_t point) {
    if (point < 0x80) return {static_cast<char>(point)};
    return {static_cast<char>(0xC0 | (point >> 6)), static_cast<char>(0x80 | (point & 0x3F))};
  }
};

const Alphabet& alphabet() {
  static const Alphabet built;
  return built;
}

}  // namespace

const std::array<uint8_t, 256>& bytes_in_order() {
  return alphabet().in_order;
}

std::string to_byte_alphabet(std::string_view bytes) {
  std::string characters;
  for (char byte : bytes) characters += alphabet().characters[static_cast<uint8_t>(byte)];
  return characters;
}

std::string bytes_of_token(std::string_view spelt) {
  return from_byte_alphabet(spelt).value_or(std::string(spelt));
}

std::optional<std::string> from_byte_alphabet(std::string_view characters) {
  std::string bytes;
  while (!characters.empty()) {
    const size_t length = io::utf8_length(characters);
    if (length < 1 || length > 2) return std::nullopt;
    const auto at = [&](size_t i) { return static_cast<uint8_t>(characters[i]); };
    const uint32_t point = length == 1 ? at(0) : ((at(0) & 0x1FU) << 6) | (at(1) & 0x3FU);
    if (point > largest_character || alphabet().bytes[point] < 0) return std::nullopt;
    bytes += static_cast<char>(alphabet().bytes[point]);
    characters.remove_prefix(length);
  }
  return bytes;
}

}  // namespace rlhf::text
