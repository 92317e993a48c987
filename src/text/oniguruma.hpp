/// The patterns of tokenizer.json files are Oniguruma's; this says them in PCRE2's words.
#pragma once

#include <string>

namespace rlhf::text {

/// A PCRE2 pattern (UTF, UCP, multiline) that matches what `pattern` does in Oniguruma, with the
/// characters of Unicode 16 in its classes whatever the version of PCRE2.
/// @throws Error naming the pattern and the construct where that is not sure: back references by
///         name, class intersections, options other than i and m, properties that few patterns use,
///         and the intervals that the two read differently
std::string pcre2_pattern(const std::string& pattern);

}  // namespace rlhf::text
