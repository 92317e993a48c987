/// How many logits there are at a time.
#pragma once

#include <cstdint>

namespace rlhf::model {

constexpr int64_t most_logits_made = int64_t{1} << 22;
/// That are kept for the backward pass instead of being made again there.
constexpr int64_t most_logits_kept = int64_t{1} << 23;

}  // namespace rlhf::model
