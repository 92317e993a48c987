#ifdef __x86_64__
#include "loops.hpp"

namespace rlhf::kernels {

extern const Kernels avx2_kernels;
const Kernels avx2_kernels = table("AVX2");

}  // namespace rlhf::kernels
#endif
