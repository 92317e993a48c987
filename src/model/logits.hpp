/// How many logits there are at a time.
#pragma once

#include <cstdint>

namespace rlhf::model {

constexpr int64_t most_logits_made = int64_t{1} << 22;
/// That are kept for the backward pass instead of being made again there.
constexpr int64_t most_logits_kept = int64_t{1} << 23;

/// Numbers of an output layer that is packed whole for a pass over its logits.
constexpr int64_t most_output_numbers_packed = int64_t{1} << 21;

}  // namespace rlhf::model
