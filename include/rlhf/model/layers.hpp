/// The differentiable pieces that a decoder layer is made of, on packed rows.
#pragma once

#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// x / rms(x) * weight over the last dimension (Zhang and Sennrich 2019, arXiv 1910.07467).
/// @param x  [N, D]
Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon);

/// (x - mean) / deviation * weight + bias over the last dimension (Ba et al. 2016, arXiv
/// 1607.06450).
/// @param x  [N, D]
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon);

/// GELU by the tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415).
Tensor gelu(const Tensor& x);

/// silu(gate) * up (Shazeer 2020, arXiv 2002.05202).
/// @param gate_up  [N, 2F], gate first
/// @return         [N, F]
Tensor swiglu(const Tensor& gate_up);

/// Rotary positions (Su et al. 2021, arXiv 2104.09864) on the first `heads` of the heads; pairs are
/// (i, i + D/2), as in the Hugging Face checkpoints.
/// @param x        [N, all heads, D]
/// @param cosines  [N, 1, D/2], and sines alike
Tensor rotate(const Tensor& x, int64_t heads, const Tensor& cosines, const Tensor& sines);

}  // namespace rlhf::model
