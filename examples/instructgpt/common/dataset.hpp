/// Rows of a file, or of two, as tokens to learn from and tokens to evaluate on.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "common/model_folder.hpp"
#include "common/options.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/data/rows.hpp"
#include "rlhf/data/tokenize.hpp"

namespace instructgpt {

/// `Rows` is Completions or Rankings.
template <class Rows>
struct Dataset {
  Rows training;
  std::optional<Rows> held_out = {};
};

/// Text becomes one message of the user, and one of the assistant.
void write_as_chat(rlhf::data::Demonstration& row);
void write_as_chat(rlhf::data::Ranking& row);
void write_as_chat(rlhf::data::Prompt& row);

/// Rows of --eval, or those that --eval-fraction takes out of `training`.
template <rlhf::data::DataRow Row>
std::vector<Row> hold_out(std::vector<Row>& training, const DataOptions& options, uint64_t seed) {
  if (!options.eval.empty()) {
    rlhf::require(options.eval_fraction == 0, "--eval-fraction", "0 beside --eval",
                  options.eval_fraction);
    return rlhf::data::read_all<Row>(options.eval, options.read_options());
  }
  const auto count = static_cast<int64_t>(training.size());
  const auto taken = static_cast<int64_t>(static_cast<double>(count) * options.eval_fraction);
  rlhf::require(options.eval_fraction == 0 || (taken > 0 && taken < count), "--eval-fraction",
                fmt::format("a share that takes some of {} rows and leaves some", count),
                options.eval_fraction);
  rlhf::Generator generator(seed);
  const std::vector<int64_t> order = rlhf::int64_vector(generator.permutation(count));
  std::vector<Row> kept, held_out;
  for (int64_t i = 0; i < count; ++i) {
    auto& side = i < taken ? held_out : kept;
    side.push_back(std::move(training[static_cast<size_t>(order[static_cast<size_t>(i)])]));
  }
  training = std::move(kept);
  return held_out;
}

template <rlhf::data::DataRow Row>
auto tokenize_rows(std::vector<Row> rows, const char* what, const ModelFolder& folder,
                   const DataOptions& options) {
  if (options.text_as_chat) {
    for (Row& row : rows) write_as_chat(row);
  }
  rlhf::data::TokenizeOptions tokenize = folder.tokenize_options();
  tokenize.max_tokens = options.max_tokens;
  tokenize.too_long = options.too_long;
  auto tokens = rlhf::data::tokenize(folder.tokenizer(), std::span<const Row>(rows), tokenize);
  const auto left = tokens.size();
  std::cout << fmt::format("{}: {} rows, {} of them too long and dropped\n", what, rows.size(),
                           static_cast<int64_t>(rows.size()) - left);
  return tokens;
}

/// All rows of one file.
/// @throws rlhf::Error naming file, line and field
template <rlhf::data::DataRow Row>
auto read_rows(const std::filesystem::path& file, const char* what, const ModelFolder& folder,
               const DataOptions& options) {
  return tokenize_rows(rlhf::data::read_all<Row>(file, options.read_options()), what, folder,
                       options);
}

/// Demonstrations of a file in batches without end.
std::function<rlhf::Completions()> endless_batches(const std::filesystem::path& file,
                                                   const ModelFolder& folder,
                                                   const DataOptions& options, int64_t batch_size,
                                                   uint64_t seed);

/// The rows of --train, and those to evaluate on.
/// @throws rlhf::Error naming file, line and field
template <rlhf::data::DataRow Row>
auto read_dataset(const ModelFolder& folder, const DataOptions& options, uint64_t seed) {
  auto rows = rlhf::data::read_all<Row>(options.train, options.read_options());
  auto held_out = hold_out(rows, options, seed);
  Dataset<decltype(tokenize_rows(rows, "", folder, options))> dataset{
      .training = tokenize_rows(std::move(rows), "training", folder, options)};
  if (!held_out.empty()) {
    dataset.held_out = tokenize_rows(std::move(held_out), "evaluation", folder, options);
  }
  return dataset;
}

}  // namespace instructgpt
