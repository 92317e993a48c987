#include "rlhf/reward/abstention.hpp"

#include <cmath>

#include "rlhf/core/error.hpp"

namespace rlhf {

double AbstentionScores::of(Grade grade) const {
  switch (grade) {
    case Grade::right:
      return right;
    case Grade::abstains:
      return abstains;
    case Grade::wrong:
      return wrong;
    case Grade::malformed:
      return malformed;
  }
  fail("Grade", "right, abstains, wrong or malformed", std::to_string(static_cast<int>(grade)));
}

void AbstentionScores::validate() const {
  require(std::isfinite(right), "AbstentionScores::right", "a finite number", right);
  require(std::isfinite(abstains), "AbstentionScores::abstains", "a finite number", abstains);
  require(std::isfinite(wrong), "AbstentionScores::wrong", "a finite number", wrong);
  require(std::isfinite(malformed), "AbstentionScores::malformed", "a finite number", malformed);
}

void AbstentionReward::check(Rows rows) const {
  scores_.validate();
  require(rows == Rows::unused || read_.has_rows(), "rows of AbstentionReward",
          "a table, as its function reads the data row", "none");
}

std::vector<Grade> AbstentionReward::grades(const Rollout& rollout) const {
  const reward::DecodedRollout decoded = read_(rollout);
  std::vector<Grade> grades;
  for (const TextPair& pair : decoded.pairs()) grades.push_back(grade_(pair));
  return grades;
}

Tensor AbstentionReward::operator()(const Rollout& rollout) const {
  std::vector<float> scores;
  for (Grade grade : grades(rollout)) scores.push_back(static_cast<float>(scores_.of(grade)));
  return torch::tensor(scores, torch::kFloat32).to(rollout.completions.tokens.device());
}

}  // namespace rlhf
