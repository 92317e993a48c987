#include "kernels.hpp"

namespace rlhf::kernels {

extern const Kernels plain_kernels;
#ifdef __x86_64__
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels avx512_bf16_kernels;
#endif

std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> usable{&plain_kernels};
#ifdef __x86_64__
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return usable;
  usable.push_back(&avx2_kernels);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512bw")) {
    return usable;
  }
  usable.push_back(&avx512_kernels);
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni")) {
    usable.push_back(&avx512_bf16_kernels);
  }
#endif
  return usable;
}

const Kernels& kernels() {
  static const Kernels& best = *all_kernels().back();
  return best;
}

}  // namespace rlhf::kernels
