#include "rlhf/evaluation/answer_counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.hpp"

namespace rlhf::evaluation {

void AnswerCounts::add(Grade grade) {
  switch (grade) {
    case Grade::right:
      ++right;
      return;
    case Grade::abstains:
      ++abstained;
      return;
    case Grade::wrong:
      ++wrong;
      return;
    case Grade::malformed:
      ++malformed;
      return;
  }
  fail("Grade", "right, abstains, wrong or malformed", fmt::format("{}", static_cast<int>(grade)));
}

AnswerCounts& AnswerCounts::operator+=(const AnswerCounts& other) {
  right += other.right;
  abstained += other.abstained;
  wrong += other.wrong;
  malformed += other.malformed;
  return *this;
}

AnswerCounts count(std::span<const Grade> grades) {
  AnswerCounts counts;
  for (Grade grade : grades) counts.add(grade);
  return counts;
}

Interval wilson_interval(int64_t successes, int64_t trials, double z) {
  require(successes >= 0 && successes <= trials, "successes", fmt::format(">= 0 and <= {}", trials),
          successes);
  require(z > 0, "z of an interval", "> 0", z);
  if (trials == 0) return {};
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double shrink = 1.0 + z * z / n;
  const double centre = (share + z * z / (2.0 * n)) / shrink;
  const double half = z * std::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n)) / shrink;
  // Exact at the ends, where rounding would leave a trace.
  return {.low = successes == 0 ? 0.0 : centre - half,
          .high = successes == trials ? 1.0 : centre + half};
}

}  // namespace rlhf::evaluation
