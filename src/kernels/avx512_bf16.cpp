#ifdef __x86_64__
#include "loops.hpp"

namespace rlhf::kernels {

extern const Kernels avx512_bf16_kernels;
const Kernels avx512_bf16_kernels = table("AVX-512 with bfloat16 and int8");

}  // namespace rlhf::kernels
#endif
