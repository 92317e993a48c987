/// String literals of templates, with Python's escapes.
#pragma once

#include <string>
#include <string_view>

#include "work.hpp"

namespace rlhf::text::jinja {

struct StringLiteral {
  std::string value;
  size_t length;  ///< bytes of the literal, quotes and all
};

/// The literal at the start of `source`. @throws Error if it does not end, or names no character
StringLiteral read_string_literal(const Work& work, std::string_view source);

}  // namespace rlhf::text::jinja
