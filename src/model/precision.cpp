#include "rlhf/model/precision.hpp"

#include "../kernels/kernels.hpp"

namespace rlhf {

bool is_fast(Precision precision) {
  return precision == Precision::float32 || kernels::kernels().fast_bfloat16;
}

}  // namespace rlhf
