/// The stages of the run, each a function from models and data to a model, and what it cost.
#pragma once

#include <functional>
#include <string>

#include "results.hpp"
#include "rlhf/evaluation/pair_accuracy.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "settings.hpp"
#include "world.hpp"

namespace scale {

/// The questions of each stage.
struct Data {
  Questions demonstrations, rankings, prompts;
  Questions held_out;  ///< worded as in no stage
};
Data make_data(const World& world, const Settings& settings, rlhf::Generator& generator,
               Results& results);

/// Asks the policy these questions, at temperature 1.
Exam examine(const std::string& when, int64_t episodes, const rlhf::CausalLM& policy,
             const World& world, const Questions& questions);

/// A model of random weights reads the corpus once.
rlhf::CausalLM pretrain(const World& world, const Settings& settings, rlhf::Generator& generator,
                        Results& results);

/// SFT, one epoch.
void fine_tune(rlhf::CausalLM& policy, const Questions& demonstrated, const Settings& settings,
               rlhf::Generator& generator, Results& results);

/// One ranking a question, of the right answer, of another question's, and of samples of the
/// policy; equal grades are ties.
rlhf::Rankings rank_samples(const rlhf::CausalLM& policy, const World& world,
                            const Questions& questions, const Settings& settings,
                            rlhf::Generator& generator, Results& results);

/// The reward model, one epoch.
rlhf::RewardModel learn_reward(const rlhf::CausalLM& sft, const rlhf::Rankings& rankings,
                               const Settings& settings, rlhf::Generator& generator,
                               Results& results);

/// How often it ranks a pair of samples rightly.
rlhf::evaluation::PairAccuracy judge(const rlhf::RewardModel& reward, const rlhf::CausalLM& sft,
                                     const World& world, const Questions& questions,
                                     const Settings& settings, rlhf::Generator& generator);

/// PPO on the questions, whose answers it never sees. Now and then, and at the end, it calls
/// examine("PPO", episodes until then).
void reinforce(rlhf::CausalLM& policy, rlhf::RewardModel& reward, const World& world,
               const Questions& questions, const Settings& settings, rlhf::Generator& generator,
               Results& results, const std::function<void(const char*, int64_t)>& examine);

}  // namespace scale
