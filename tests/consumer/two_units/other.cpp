#include "rlhf/rlhf.hpp"

rlhf::Completions made_elsewhere();

rlhf::Completions made_elsewhere() {
  return rlhf::completions_from({{1}, {2}}, {{3, 4}, {5}});
}
