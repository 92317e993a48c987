/// The options that the three commands share, group by group.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/program.hpp"
#include "rlhf/data/tokenize.hpp"
#include "rlhf/model/precision.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "rlhf/optimizer/schedule.hpp"
#include "rlhf/trainer/train.hpp"

namespace instructgpt {

/// Where results go, and how they are computed.
struct RunOptions {
  std::filesystem::path out = {};
  uint64_t seed = 1;
  int threads = 0;
  double memory = 0;  ///< GiB
  rlhf::Precision precision = rlhf::Precision::float32;

  void add_to(Program& program);
  /// @throws rlhf::Error if the folder is there and not empty
  void prepare() const;
  /// Takes the threads; says so where the precision gains nothing.
  void apply() const;
};

/// Which rows, and what they become.
struct DataOptions {
  std::filesystem::path train = {};
  std::filesystem::path eval = {};
  double eval_fraction = 0.0;
  std::vector<std::string> fields = {};  ///< "prompt=question"
  bool text_as_chat = false;
  int64_t max_tokens = 0;
  rlhf::data::TooLong too_long = rlhf::data::TooLong::drop;

  /// @param rows  what the files hold, for --help
  void add_to(Program& program, const std::string& rows, const std::string& tokens_help);
  /// @throws rlhf::Error if a name is none that rows have
  rlhf::data::ReadOptions read_options() const;
  /// With max_tokens of at most `room`, and `room` in place of 0.
  /// @throws rlhf::Error if more was asked for
  DataOptions within(int64_t room, const std::string& what) const;
};

/// How long to train, and when to evaluate.
struct LoopOptions {
  int64_t epochs = 1;
  int64_t steps = 0;
  int64_t batch_size = 64;
  int64_t micro_batch_tokens = 8192;
  int64_t eval_every = 0;
  bool keep_best = false;

  struct Sources {
    const char* epochs;
    const char* batch_size;
    const char* batch_help;
  };
  void add_to(Program& program, const Sources& sources);
  /// @param steps_an_epoch  batches of the data set
  /// @param has_eval        whether there are rows to evaluate on
  /// @throws rlhf::Error    if an evaluation is asked for without rows
  rlhf::TrainOptions plan(int64_t steps_an_epoch, bool has_eval) const;
};

/// AdamW and its schedule.
struct OptimizerOptions {
  rlhf::AdamWOptions adamw = {.beta2 = 0.95};
  rlhf::Schedule schedule = {};

  struct Sources {
    const char* learning_rate;
    const char* schedule;
  };
  void add_to(Program& program, const Sources& sources);
  rlhf::Schedule schedule_over(int64_t steps) const;
};

}  // namespace instructgpt
