/// What a run has found: a table on the terminal, and results.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "meter.hpp"
#include "rlhf/evaluation/answer_counts.hpp"
#include "rlhf/evaluation/pair_accuracy.hpp"

namespace scale {

/// Sampled answers to held-out questions, graded exactly.
struct Exam {
  std::string when;
  int64_t episodes = 0;  ///< of PPO until then
  double seconds = 0;    ///< since the program began
  double mb = 0;         ///< held then
  rlhf::evaluation::AnswerCounts counts;

  /// Mean score of an answer: right 1, abstaining 0, wrong -1, malformed -2.
  double quality() const;
};

/// Stages and exams in the order of time.
struct Results {
  uint64_t seed = 1;
  int threads = 2;
  std::vector<StageCost> costs = {};
  std::vector<Exam> exams = {};
  rlhf::evaluation::PairAccuracy reward_model = {};  ///< on held-out rankings
  double seconds = 0;                                ///< of the whole program
};

void print_table(const Results& results);
void write_json(const Results& results, const std::filesystem::path& path);

}  // namespace scale
