/// What a stage costs: time, examples, tokens, and the memory that the process holds meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace scale {

/// MB of memory that this process holds now (resident set), as Linux counts it.
double resident_mb();

/// Seconds since the program began.
double now();

struct StageCost {
  std::string stage, unit;  ///< what it was, and what an example of it is
  int64_t examples = 0;
  int64_t tokens = 0;  ///< prompt and response tokens of these, each counted once
  double seconds = 0;
  double mb_at_start = 0;
  std::optional<double> mb_after_minute = {};  ///< nothing where the stage was shorter
  double mb_highest = 0;                       ///< from then on; of a shorter stage, from its start
  double mb_at_end = 0;
};

/// Measures from its making to finish().
class Meter {
 public:
  Meter(std::string stage, std::string unit);
  /// So many examples and their tokens are about to be worked on. Looks at the memory now and then.
  void count(int64_t examples, int64_t tokens);
  StageCost finish();

 private:
  void look_at_memory();

  StageCost cost_;
  double begin_, looked_;
};

}  // namespace scale
