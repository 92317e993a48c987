#include "rlhf/core/version.hpp"

namespace rlhf {

std::string_view version() {
  return RLHF_VERSION;
}

}  // namespace rlhf
