/// How fast rotary positions turn.
#pragma once

#include "rlhf/core/tensor.hpp"
#include "rlhf/model/config.hpp"

namespace rlhf::model {

/// Radians a token of each pair, float64 [head_size / 2].
Tensor rotary_frequencies(const TransformerConfig& config);

}  // namespace rlhf::model
