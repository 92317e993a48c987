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
  cut(s.corpus, s.corpus_batch);
  cut(s.demonstrations, s.sft_batch);
  cut(s.rankings, s.reward_batch);
  cut(s.prompts, s.ppo_batch);
  cut(s.episodes, s.ppo_batch);
  cut(s.examine_every, 1);
  return s;
}

Settings Settings::quick() {
  Settings s = at(1.0 / 64);
  s.corpus = Settings{}.corpus;  // or there would be nothing to build on
  s.prompts = 512;
  s.held_out = 250;
  s.corpus_batch = s.sft_batch = 4;
  s.reward_batch = 16;
  s.ppo_batch = 128;
  s.ppo.minibatches = 4;
  s.examine_every = 8;
  return s;
}

}  // namespace scale
