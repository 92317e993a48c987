/// The parsers of room io.
#pragma once

#include "fuzz/driver.hpp"

namespace rlhf::fuzz {

Target gguf_target();
Target safetensors_target();
Target json_target();
Target weight_map_target();

}  // namespace rlhf::fuzz
