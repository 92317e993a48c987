/// Rows of a table, as of tokens' embeddings: by the kernels' threads, so that none of OpenMP's
/// wake for it and stand in their way.
#pragma once

#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// table [V, D] at rows int64 [N], each in [0, V): [N, D]. Differentiable in the table; rows that
/// are named more than once add up in their order.
Tensor lookup(const Tensor& table, const Tensor& rows);

}  // namespace rlhf::model
