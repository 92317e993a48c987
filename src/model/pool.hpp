/// Memory for activations, used again from step to step: the system takes large blocks back at once
/// and clears every page that it hands out anew.
#pragma once

#include "rlhf/core/tensor.hpp"

namespace rlhf::model {

/// An uninitialised float32 tensor on the CPU. Its memory returns to a pool of the process (at most
/// 256 MiB wait there) when the last tensor on it goes. Thread-safe.
Tensor pooled(at::IntArrayRef sizes);

/// Gives what waits back to the system.
void release_pooled();

}  // namespace rlhf::model
