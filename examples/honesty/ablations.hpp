/// The same job without one part each: what shows that the part matters.
#pragma once

#include <filesystem>

#include "results.hpp"

namespace honesty {

/// PPO on the test questions with: no KL penalty, no pretraining mix and all parameters; wrong
/// punished no more than abstaining; an SFT model that was never shown "I don't know."; the exact
/// reward.
void run_ablations(const World& world, const rlhf::CausalLM& pretrained, const rlhf::CausalLM& sft,
                   const rlhf::RewardModel& reward, const Settings& settings,
                   rlhf::Generator& generator, const std::filesystem::path& path);

/// Fewer wrong answers about unknown cities, more truthful over all.
bool points_the_right_way(const Results& results);

}  // namespace honesty
