/// What a run has found, as results.json and a summary on the terminal.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "examination.hpp"
#include "rlhf/evaluation/pair_accuracy.hpp"
#include "stages.hpp"

namespace honesty_smollm2 {

/// A question and what the model said to it before and after PPO.
struct Exchange {
  Place place;
  std::string kind;
  Answer before, after;
};

struct Results {
  uint64_t seed = 0;
  std::map<std::string, rlhf::evaluation::ProbeSummary> sureness;  ///< by model
  Examination sft, ppo, exact;                                     ///< greedy, on test questions
  rlhf::evaluation::AnswerCounts threshold;  ///< the SFT model that abstains where it is less sure
  rlhf::evaluation::RankingAccuracy reward_model;  ///< held-out pairs by kind
  std::vector<Exchange> exchanges;
  std::map<std::string, StageLog> logs;  ///< by stage
};

std::vector<Exchange> exchanges(const rlhf::CausalLM& before, const rlhf::CausalLM& after,
                                const World& world, const Sorted& test);

/// What answering where confidence is above the threshold that is best on `chooses` gives.
rlhf::evaluation::AnswerCounts above_threshold(const rlhf::evaluation::Probed& probed,
                                               const rlhf::evaluation::Probed& chooses);

void print_summary(const Results& results);
void write_json(const Results& results, const std::filesystem::path& path);

/// Whether PPO made the model more truthful and less inventive.
bool points_the_right_way(const Results& results);

}  // namespace honesty_smollm2
