/// Sets of characters as the contents of a PCRE2 character class. PCRE2's own depend on its version
/// and a tokenizer's must not, so what later versions of Unicode added, up to 16, is spelt out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rlhf::text {

const std::string& letters();
const std::string& numbers();
const std::string& marks();
const std::string& white_space();
/// Alphabetic characters, marks, decimal digits and connectors.
const std::string& word_characters();

/// The characters of a Unicode property, by its short or long name as patterns write it: \p{Lu}.
/// Nothing for a property that is not in the table.
std::optional<std::string> unicode_set(std::string_view property);

}  // namespace rlhf::text
