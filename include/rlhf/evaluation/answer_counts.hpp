/// How many questions were answered rightly, wrongly, or not at all.
#pragma once

#include <cstdint>
#include <span>

#include "rlhf/text/answer.hpp"

namespace rlhf::evaluation {

struct AnswerCounts {
  int64_t right = 0;
  int64_t abstained = 0;
  int64_t wrong = 0;
  int64_t malformed = 0;

  int64_t total() const { return right + abstained + wrong + malformed; }
  /// Shares of all questions; 0 where there are none.
  double right_rate() const { return share(right); }
  double abstention_rate() const { return share(abstained); }
  double malformed_rate() const { return share(malformed); }
  /// wrong / total.
  double hallucination() const { return share(wrong); }
  /// (right - wrong) / total (TruthRL, arXiv 2509.25760).
  double truthfulness() const { return share(right - wrong); }

  /// The same, no answer counted as a wrong one: to compare with what knows no such kind, as a
  /// threshold on confidence.
  AnswerCounts malformed_as_wrong() const {
    return {.right = right, .abstained = abstained, .wrong = wrong + malformed};
  }

  void add(Grade grade);
  AnswerCounts& operator+=(const AnswerCounts& other);
  bool operator==(const AnswerCounts&) const = default;

 private:
  double share(int64_t count) const {
    return total() == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(total());
  }
};

AnswerCounts count(std::span<const Grade> grades);

struct Interval {
  double low = 0.0;
  double high = 1.0;
};

/// Wilson's score interval of a share, sound for small counts (Wilson 1927): [0, 1] without trials.
/// @param z       standard deviations; the default covers 95 %
/// @throws Error  unless 0 <= successes <= trials and z > 0
Interval wilson_interval(int64_t successes, int64_t trials, double z = 1.959963984540054);

}  // namespace rlhf::evaluation
