/// Clocks are passed in, so that what a sink writes can be tested to the byte.
#pragma once

#include <functional>

namespace rlhf {

/// Seconds.
using Clock = std::function<double()>;

/// Never goes back; its zero means nothing. For rates and durations.
Clock steady_clock();

/// Seconds since 1970 in UTC. For time stamps.
Clock wall_clock();

}  // namespace rlhf
