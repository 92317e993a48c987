/// The jobs that are measured: each is made from tokens and then works step by step. The programs
/// under Google Benchmark and the one that takes turns with the peers run the same ones.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rows.hpp"
#include "shapes.hpp"

namespace bench {

struct Phase {
  double seconds = 0;
  double operations = 0;
};

/// What was done in one step or several.
struct Work {
  double units = 0;                          ///< tokens, pairs, rankings or episodes
  double operations = 0;                     ///< in matrix products, as Shape counts them
  std::map<std::string, Phase> phases = {};  ///< of PPO

  Work& operator+=(const Work& more);
};

class Job {
 public:
  virtual ~Job() = default;
  /// Works on the next batch of the job's rows.
  virtual Work step() = 0;
};

/// What a job is made from.
struct Setting {
  Shape shape;
  rlhf::Precision precision = rlhf::Precision::float32;
  std::vector<Row> rows;
};

struct JobKind {
  const char* name;
  const char* program;  ///< bench_<program> runs it
  const char* unit;
  int64_t rows_a_step;
  std::vector<Row> (*draw)(const Shape& shape, int64_t count);  ///< without a peer's tokens
  std::unique_ptr<Job> (*make)(const Setting& setting);

  /// @throws Error for a precision that the job cannot work in
  std::unique_ptr<Job> start(const Setting& setting) const;
};

/// generate, sft, reward, ranking6, ppo, ppo_ragged.
const std::vector<JobKind>& job_kinds();
/// @throws Error naming them
const JobKind& job_kind(std::string_view name);

std::unique_ptr<Job> make_generation(const Setting& setting);
std::unique_ptr<Job> make_sft(const Setting& setting);
std::unique_ptr<Job> make_reward(const Setting& setting);
std::unique_ptr<Job> make_ppo(const Setting& setting);
/// PPO on responses that end after Row::ends_after tokens.
std::unique_ptr<Job> make_ragged_ppo(const Setting& setting);

/// Rows of one step of generation, SFT and PPO, pairs of one of the reward model; prompt and
/// response tokens of sampling.
inline constexpr int64_t batch_rows = 32, prompt_tokens = 16, response_tokens = 48;
/// Rankings of one step: 30 pairs for a trainer of pairs.
inline constexpr int64_t batch_rankings = 2, ranked_responses = 6;

}  // namespace bench
