/// SIGINT and SIGTERM as a wish to stop soon, which whoever trains looks at between two steps.
#pragma once

namespace rlhf::checkpoint {

/// While one of these lives, the first of the two signals is only remembered; a second ends the
/// process at once, with exit status 128 + its number, as the shell has it. What a program had set
/// for the signals before comes back with the end of the last one.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  /// The signal that came, or 0.
  static int caught();
};

}  // namespace rlhf::checkpoint
