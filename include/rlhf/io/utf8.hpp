/// What is UTF-8 and what is not (Unicode 15, table 3-7: no overlong forms, no surrogates).
#pragma once

#include <cstddef>
#include <string_view>

namespace rlhf::io {

/// Bytes of the character at the start of `text`: 1 to 4, or 0 where no valid one starts.
size_t utf8_length(std::string_view text);

/// Bytes of the longest prefix of `text` that is valid.
size_t utf8_prefix(std::string_view text);

/// @throws Error "<where>: expected valid UTF-8, got byte 0x.. at offset .."
void require_utf8(std::string_view text, std::string_view where);

}  // namespace rlhf::io
