/// Progress on the terminal: a bar, the rate, the time left and a few metrics on one line.
///
///     ppo  ━━━━━━━━━━╶─────────────  37/120  2.1 step/s  0:40 left  reward 0.512  kl 0.0312
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/metric.hpp"
#include "rlhf/report/clock.hpp"

namespace rlhf {

/// Where progress is shown.
struct Console {
  std::function<void(std::string_view)> write = [](std::string_view) {};
  bool is_terminal = false;  ///< whether a line may be drawn over
  int64_t columns = 80;

  /// stderr, as it is now.
  static Console standard_error();
};

struct ConsoleOptions {
  std::string label = "";
  int64_t total_steps = 0;                ///< 0: unknown, so no bar and no time left
  std::vector<std::string> metrics = {};  ///< which to show; empty: the first three
  int64_t line_every = 0;  ///< steps between lines where there is no terminal; 0: none

  void validate() const;
};

/// A MetricSink that draws one line over and over, at most ten times a second; elsewhere than on a
/// terminal it is quiet, or writes a line now and then. `step` counts from 1: log(k) says that k
/// steps are done. One step may be logged several times, with different metrics.
class ConsoleProgress {
 public:
  explicit ConsoleProgress(ConsoleOptions options = {}, Console console = Console::standard_error(),
                           Clock clock = steady_clock());
  ConsoleProgress(ConsoleProgress&&) noexcept;
  ConsoleProgress& operator=(ConsoleProgress&&) noexcept;
  ~ConsoleProgress();  ///< finishes

  void log(int64_t step, std::span<const Metric> metrics);
  /// Leaves the last state on a line of its own; later calls do nothing.
  void finish();

 private:
  class Display;
  std::unique_ptr<Display> display_;
};

}  // namespace rlhf
