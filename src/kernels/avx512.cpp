#ifdef __x86_64__
#include "loops.hpp"

namespace rlhf::kernels {

extern const Kernels avx512_kernels;
const Kernels avx512_kernels = table("AVX-512");

}  // namespace rlhf::kernels
#endif
