#include "loops.hpp"

namespace rlhf::kernels {

extern const Kernels plain_kernels;
const Kernels plain_kernels = table("baseline");

}  // namespace rlhf::kernels
