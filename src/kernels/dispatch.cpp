#include "kernels.hpp"

namespace rlhf::kernels {

extern const Kernels plain_kernels;
#ifdef __x86_64__
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels avx512_bf16_kernels;
#endif

const Kernels& kernels() {
#ifdef __x86_64__
  static const Kernels& best = []() -> const Kernels& {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
      return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni")
                 ? avx512_bf16_kernels
                 : avx512_kernels;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_kernels;
    return plain_kernels;
  }();
  return best;
#else
  return plain_kernels;
#endif
}

}  // namespace rlhf::kernels
