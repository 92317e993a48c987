#ifdef __x86_64__
#include "loops.hpp"

namespace rlhf::kernels {

extern const Kernels amx_kernels;
const Kernels amx_kernels = table("AVX-512 with bfloat16, int8 and AMX");

}  // namespace rlhf::kernels
#endif
