/// The parsers of room checkpoint that read no LibTorch.
#pragma once

#include "fuzz/driver.hpp"

namespace rlhf::fuzz {

Target checkpoint_target();
Target stored_values_target();

}  // namespace rlhf::fuzz
