// fwd.hpp before the real thing: they must agree on what is a class and what a struct.
#include "rlhf/fwd.hpp"
// then
#include "rlhf/rlhf.hpp"

rlhf::Completions made_elsewhere();

int main() {
  const rlhf::Completions completions = made_elsewhere();
  return rlhf::masked_sum(rlhf::mask_of(completions), rlhf::mask_of(completions)).item<int64_t>() ==
                 3
             ? 0
             : 1;
}
