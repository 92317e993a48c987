/// The parsers of room data.
#pragma once

#include "fuzz/driver.hpp"

namespace rlhf::fuzz {

Target jsonl_target();

}  // namespace rlhf::fuzz
