/// A template as tokens, with the white space that trim_blocks and lstrip_blocks take away gone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "work.hpp"

namespace rlhf::text::jinja {

enum class TokenType : uint8_t {
  text,         ///< between tags
  print_begin,  ///< {{
  print_end,
  block_begin,  ///< {%
  block_end,
  name,
  string,  ///< its value, escapes read
  whole,
  real,
  symbol,  ///< an operator or a bracket
  end,     ///< of the template
};

struct Token {
  TokenType type;
  std::string text;
  int line;

  bool is(TokenType kind, std::string_view value) const { return type == kind && text == value; }
};

/// Jinja's lexer with trim_blocks and lstrip_blocks, as `transformers` sets it up.
/// @throws Error naming the line of what it cannot read
std::vector<Token> tokens_of_template(Work& work, std::string_view source);

/// Whether Python's str.strip() takes the character away.
bool is_python_space(char32_t point);
/// Bytes of such characters at the start and at the end.
size_t leading_python_space(std::string_view text);
size_t trailing_python_space(std::string_view text);

}  // namespace rlhf::text::jinja
