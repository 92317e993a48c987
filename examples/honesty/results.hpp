/// What a run has found, as results.json, report.html and a summary on the terminal.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "examination.hpp"
#include "settings.hpp"
#include "stages.hpp"

namespace honesty {

/// A question and what the model said to it before and after PPO.
struct Exchange {
  Fact fact;
  bool known = false;
  ShownAnswer before, after;
};

struct Results {
  uint64_t seed = 0;
  Examination sft, ppo;                                  ///< greedy, on test questions
  Guesses pretrained_guesses, sft_guesses, ppo_guesses;  ///< on test questions
  rlhf::evaluation::AnswerCounts threshold;              ///< the SFT model abstaining below one
                                                         ///< confidence, chosen on validation
  rlhf::evaluation::AnswerCounts oracle;                 ///< the same, chosen on test
  rlhf::evaluation::RankingAccuracy reward_model;        ///< held-out pairs by kind
  std::vector<Exchange> exchanges;
  std::map<std::string, StageLog> logs;  ///< by stage
};

/// Examines the models on the test questions.
Results assess(const World& world, const rlhf::CausalLM& pretrained, const rlhf::CausalLM& sft,
               const rlhf::RewardModel& reward, const rlhf::CausalLM& ppo,
               const Settings& settings);

void print_summary(const Results& results);
void write_json(const Results& results, const std::filesystem::path& path);
void write_report(const Results& results, const std::filesystem::path& path);

}  // namespace honesty
