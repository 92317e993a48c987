#include "fuzz/io/targets.hpp"

int main(int argc, char** argv) {
  using namespace rlhf::fuzz;
  return main_of(argc, argv,
                 {gguf_target(), safetensors_target(), json_target(), weight_map_target()});
}
