/// The stages of the job. Each goes on where an earlier process stopped, in a folder of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "examination.hpp"
#include "rlhf/evaluation/pair_accuracy.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "settings.hpp"
#include "world.hpp"

namespace honesty_smollm2 {

/// What a stage was like.
struct StageLog {
  double seconds = 0;  ///< of this process
  double last_kl = 0;  ///< nats a sequence, to the reference; of PPO
};

/// The model as it comes, and its tokenizer.
struct Pretrained {
  rlhf::CausalLM model;
  rlhf::ByteLevelBpe tokenizer;
};
/// @throws rlhf::Error naming the file
Pretrained load(const std::filesystem::path& gguf, rlhf::Precision precision,
                int64_t frozen_layers);

/// Stage 1: the answer's format, and "I don't know." planted at a fixed rate, by adapters. The
/// result is a model of its own, the adapters added to its weights; the pretrained one is gone.
rlhf::CausalLM fine_tune(rlhf::CausalLM pretrained, const World& world, const Places& places,
                         const Settings& settings, const std::filesystem::path& folder,
                         StageLog& log);

/// Rankings of the model's own samples, the right answer, "I don't know." and a malformed answer
/// among them; `labels` are the grades of all responses.
struct GradedRankings {
  rlhf::Rankings rankings;
  std::vector<std::string> labels;
};
GradedRankings rank_samples(const rlhf::CausalLM& model, const World& world,
                            const std::vector<Place>& places, const RewardSettings& settings,
                            rlhf::Generator& generator);

/// Stage 2: adapters and a head on the SFT model; it reads the fact beside question and answer.
rlhf::RewardModel learn_reward(const rlhf::CausalLM& sft, const World& world,
                               const Sorted& practice, const Settings& settings,
                               const std::filesystem::path& folder, StageLog& log);

/// How often the reward model ranks a pair of held-out samples rightly, by kind.
rlhf::evaluation::RankingAccuracy judge_reward(const rlhf::RewardModel& reward,
                                               const rlhf::CausalLM& sft, const World& world,
                                               const std::vector<Place>& places,
                                               const Settings& settings);

/// Stage 3: PPO of adapters on the SFT model, against the reward model, or against the grade itself
/// where there is none. The weights of the best validation truthfulness.
rlhf::CausalLM reinforce(const rlhf::CausalLM& sft, const rlhf::RewardModel* reward_model,
                         const World& world, const Sorted& practice, const Places& validation,
                         const Settings& settings, const std::filesystem::path& folder,
                         StageLog& log);

}  // namespace honesty_smollm2
