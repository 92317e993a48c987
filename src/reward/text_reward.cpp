#include "rlhf/reward/text_reward.hpp"

#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/core/non_finite.hpp"

namespace rlhf {

void TextReward::require_rows() const {
  require(read_.has_rows(), "rows of TextReward", "a table, as its function reads the data row",
          "none");
}

Tensor TextReward::operator()(const Rollout& rollout) const {
  const reward::DecodedRollout decoded = read_(rollout);
  const std::span<const TextPair> pairs = decoded.pairs();
  const std::vector<float> scores = score_(pairs);
  require(scores.size() == pairs.size(), "scores of TextReward",
          fmt::format("{}, one a pair", pairs.size()), scores.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i])) continue;
    fail_non_finite("score of TextReward", fmt::format("{} for sequence {}, prompt {}", scores[i],
                                                       i, reward::quoted_prompt(pairs[i].prompt)));
  }
  return torch::tensor(scores, torch::kFloat32).to(rollout.completions.tokens.device());
}

}  // namespace rlhf
