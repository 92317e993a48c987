/// Characters of UTF-8 text one by one: what stands at an end of it, and of what class it is.
#pragma once

#include <cstddef>
#include <string_view>

namespace rlhf::text {

/// The character that starts or ends a text; empty where no valid one does.
std::string_view first_character(std::string_view text);
std::string_view last_character(std::string_view text);

/// The number of one valid character.
char32_t code_point(std::string_view character);

bool is_white_space(char32_t point);

/// Bytes of white space at the start and at the end of a text.
size_t leading_white_space(std::string_view text);
size_t trailing_white_space(std::string_view text);

/// Whether one character (valid UTF-8) is a letter, number, combining mark or underscore.
bool is_word_character(std::string_view character);

/// Whether it is what `tokenizers` takes for part of a word beside an added token, \w of Rust's
/// `regex`: alphabetic, mark, decimal digit, connector or joiner.
bool is_rust_word_character(std::string_view character);

}  // namespace rlhf::text
