/// The parsers of room text.
#pragma once

#include "fuzz/driver.hpp"

namespace rlhf::fuzz {

Target tokenizer_json_target();
Target bpe_files_target();
Target llama2c_tokenizer_target();
Target chat_template_target();

}  // namespace rlhf::fuzz
