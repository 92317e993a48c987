/// The look and the behaviour of a report, kept inside it.
#pragma once

#include <cstddef>
#include <string_view>

namespace rlhf::report {

/// Curves and categories take the classes c0, c1, .. of the style sheet in turn.
inline constexpr size_t colour_count = 7;

extern const std::string_view style_sheet;
extern const std::string_view script;

}  // namespace rlhf::report
