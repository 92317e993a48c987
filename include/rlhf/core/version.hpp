/// Which release of the library this is.
#pragma once

#include <string_view>

namespace rlhf {

/// "major.minor.patch" of the library that is linked.
std::string_view version();

}  // namespace rlhf
