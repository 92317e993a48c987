/// Text on its way into HTML. Never an error: what is not UTF-8 becomes U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace rlhf::report {

/// For element content and quoted attributes.
std::string escaped(std::string_view text);

/// A JSON string that is safe inside a script element.
std::string json_string(std::string_view text);

}  // namespace rlhf::report
