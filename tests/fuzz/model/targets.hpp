/// The parsers of room model that read no LibTorch.
#pragma once

#include "fuzz/driver.hpp"

namespace rlhf::fuzz {

Target config_target();
Target adapter_config_target();

}  // namespace rlhf::fuzz
