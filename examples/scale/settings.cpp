#include "settings.hpp"

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.hpp"

namespace scale {

Settings Settings::at(double share) {
  rlhf::require(share > 0 && share <= 1, "share of the run", "above 0, at most 1", share);
  Settings s;
  const auto cut = [&](int64_t& count, int64_t least) {
    count = std::max<int64_t>(least, std::llround(static_cast<double>(count) * share));
  };
  cut(s.demonstrations, s.sft_batch);
  cut(s.rankings, s.reward_batch);
  cut(s.prompts, s.ppo_batch);
  cut(s.episodes, s.ppo_batch);
  cut(s.examine_every, 1);
  return s;
}

}  // namespace scale
