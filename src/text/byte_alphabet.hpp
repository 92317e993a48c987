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

/// The bytes of a token as files spell it: those that its characters stand for, and where one is
/// not of the alphabet, as in some added tokens, its own.
std::string bytes_of_token(std::string_view spelt);

/// The inverse of to_byte_alphabet; nothing if a character is not of the alphabet.
std::optional<std::string> from_byte_alphabet(std::string_view characters);

}  // namespace rlhf::text
