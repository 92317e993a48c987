/// Unicode's normal form C, as `tokenizers` makes it.
#pragma once

#include <string>
#include <string_view>

namespace rlhf::text {

/// The text, which is valid UTF-8, with characters composed where Unicode 9 composes them: that is
/// the version that `tokenizers` goes by, whatever utf8proc knows.
std::string nfc(std::string_view text);

}  // namespace rlhf::text
