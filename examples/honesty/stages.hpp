/// The stages of the job, each a function from models to a model.
#pragma once

#include <map>
#include <string>

#include "rlhf/evaluation/pair_accuracy.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/report/history.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "settings.hpp"
#include "world.hpp"

namespace honesty {

/// What was logged, and how long it took.
struct StageLog {
  rlhf::MetricHistory metrics;
  double seconds = 0;
};

/// Stage 0: a model from scratch on the corpus; it then knows the known cities.
rlhf::CausalLM pretrain(const World& world, const Settings& settings, rlhf::Generator& generator,
                        StageLog& log);

/// Stage 1: the question's format, and "I don't know." planted at a fixed rate.
rlhf::CausalLM fine_tune(const rlhf::CausalLM& pretrained, const World& world,
                         const SftSettings& settings, rlhf::Generator& generator, StageLog& log);

/// Rankings of the model's own samples, the right answer and "I don't know." among them; `labels`
/// are the grades of all responses.
struct GradedRankings {
  rlhf::Rankings rankings;
  std::vector<std::string> labels;
};
GradedRankings rank_samples(const rlhf::CausalLM& model, const World& world,
                            const std::vector<Fact>& facts, const RewardSettings& settings,
                            rlhf::Generator& generator);

/// Stage 2: a reward model that reads the fact beside question and answer.
rlhf::RewardModel learn_reward(const rlhf::CausalLM& sft, const World& world,
                               const RewardSettings& settings, rlhf::Generator& generator,
                               StageLog& log);

/// How often the reward model ranks a pair of held-out samples rightly, by kind.
rlhf::evaluation::RankingAccuracy judge_reward(const rlhf::RewardModel& reward,
                                               const rlhf::CausalLM& sft, const World& world,
                                               const std::vector<Fact>& facts,
                                               const RewardSettings& settings,
                                               rlhf::Generator& generator);

/// Stage 3: PPO against the reward; the weights of the best validation truthfulness.
rlhf::CausalLM reinforce(const rlhf::CausalLM& sft, const rlhf::RewardModel& reward,
                         const World& world, const ReinforcementSettings& settings,
                         rlhf::Generator& generator, StageLog& log);

}  // namespace honesty
