/// GPT-2's way to write any bytes as printable text: each byte is one character.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace rlhf::text {

/// The bytes in the order of their characters, which is the order of their ids in GPT-2.
const std::array<uint8_t, 256>& bytes_in_order();

/// Bytes as characters: " is" gives "Ġis".
std::string to_byte_alphabet(std::string_view bytes);

/// The inverse; nothing if a character is not of the alphabet.
std::optional<std::string> from_byte_alphabet(std::string_view characters);

}  // namespace rlhf::text
