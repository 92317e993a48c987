// bench_generation, bench_sft, bench_reward and bench_ppo: RLHF_BENCH_PROGRAM says which.
#include "program.hpp"

int main(int argc, char** argv) {
  return bench::run_program(RLHF_BENCH_PROGRAM, argc, argv);
}
