#include "fuzz/checkpoint/targets.hpp"
#include "fuzz/data/targets.hpp"
#include "fuzz/io/targets.hpp"
#include "fuzz/model/targets.hpp"
#include "fuzz/text/targets.hpp"

int main(int argc, char** argv) {
  using namespace rlhf::fuzz;
  return main_of(argc, argv,
                 {gguf_target(), safetensors_target(), json_target(), weight_map_target(),
                  jsonl_target(), tokenizer_json_target(), bpe_files_target(),
                  llama2c_tokenizer_target(), chat_template_target(), config_target(),
                  adapter_config_target(), checkpoint_target(), stored_values_target()});
}
