// Shaped scores against a loop over the sequences, and the order of composition.
#include "rlhf/reward/shaping.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/random.hpp"

namespace rlhf::reward {
namespace {

TEST(Shaping, EqualsTheLoopOverSequences) {
  Generator generator(1);
  for (int trial = 0; trial < 100; ++trial) {
    const int64_t count = 2 + generator.below(8);
    std::vector<std::vector<int64_t>> prompts(static_cast<size_t>(count), {1}), responses;
    Rollout rollout;
    std::vector<float> scores;
    for (int64_t i = 0; i < count; ++i) {
      responses.emplace_back(static_cast<size_t>(1 + generator.below(9)), 2);
      rollout.finish.push_back(generator.uniform() < 0.5 ? Finish::eos : Finish::length);
      scores.push_back(static_cast<float>(20 * generator.uniform() - 10));
    }
    rollout.completions = completions_from(prompts, responses);
    const auto base = [&](const Rollout&) { return torch::tensor(scores, torch::kFloat32); };

    auto shaped = clip(
        missing_eos(length_penalty(scale(base, 0.5), {.per_token = 0.25, .free_tokens = 3}), -1),
        -2, 2);
    const Tensor result = shaped(rollout);
    for (size_t i = 0; i < scores.size(); ++i) {
      const int64_t extra = std::max<int64_t>(0, static_cast<int64_t>(responses[i].size()) - 3);
      const float penalised = 0.5F * scores[i] - 0.25F * static_cast<float>(extra);
      const float expected =
          rollout.finish[i] == Finish::length ? -1.0F : std::clamp(penalised, -2.0F, 2.0F);
      ASSERT_NEAR(result[static_cast<int64_t>(i)].item<float>(), expected, 1e-6);
    }

    auto normalised = normalise(base, rollout);
    const ScoreMoments moments = moments_of(normalised(rollout));
    ASSERT_NEAR(moments.mean, 0, 1e-6);
    ASSERT_NEAR(moments.std, 1, 1e-6);
  }
}

}  // namespace
}  // namespace rlhf::reward
