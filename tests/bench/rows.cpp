#include "rows.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.hpp"

namespace bench {
namespace {

std::vector<int64_t> words(const Shape& shape, int64_t count, rlhf::Generator& generator) {
  constexpr int64_t first_word = 3;  // padding and the like lie below
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i) {
    tokens.push_back(first_word + generator.below(shape.config.vocab_size - first_word));
  }
  return tokens;
}

}  // namespace

std::vector<Row> read_rows(const std::string& path) {
  std::ifstream file(path);
  if (!file) rlhf::fail("tokens of a job", "a file that can be read", path);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    try {
      const auto json = nlohmann::json::parse(line);
      rows.push_back({.prompt = json.at("prompt"),
                      .responses = json.at("responses"),
                      .ends_after = json.value("ends_after", int64_t{0})});
    } catch (const nlohmann::json::exception& error) {
      rlhf::fail(path + ", line " + std::to_string(rows.size() + 1), "prompt and responses",
                 error.what());
    }
  }
  return rows;
}

std::vector<Row> prompt_rows(const Shape& shape, int64_t count, int64_t prompt, Ends ends,
                             rlhf::Generator& generator) {
  std::vector<Row> rows;
  for (int64_t row = 0; row < count; ++row) {
    rows.push_back({.prompt = words(shape, prompt, generator),
                    .ends_after = ends == Ends::ragged ? 8 + generator.below(41) : 0});
  }
  return rows;
}

std::vector<Row> ragged_rows(const Shape& shape, int64_t count, int64_t group,
                             rlhf::Generator& generator) {
  std::vector<Row> rows;
  for (int64_t row = 0; row < count; ++row) {
    Row drawn;
    for (int64_t i = 0; i < group; ++i) {
      const int64_t length = 16 + generator.below(113), asked = length / 4;
      if (i == 0) drawn.prompt = words(shape, asked, generator);
      drawn.responses.push_back(words(shape, length - asked, generator));
    }
    rows.push_back(std::move(drawn));
  }
  return rows;
}

rlhf::Completions completions_of(std::span<const Row> rows) {
  std::vector<std::vector<int64_t>> prompts, responses;
  for (const Row& row : rows) {
    for (size_t i = 0; i < std::max<size_t>(1, row.responses.size()); ++i) {
      prompts.push_back(row.prompt);
    }
    responses.insert(responses.end(), row.responses.begin(), row.responses.end());
  }
  return rlhf::completions_from(prompts, responses);
}

Batches::Batches(std::vector<Row> rows, int64_t rows_a_step)
    : rows_(std::move(rows)), size_(static_cast<size_t>(rows_a_step)) {
  rlhf::require(rows_.size() >= size_, "rows of tokens", ">= " + std::to_string(size_),
                std::to_string(rows_.size()));
}

std::span<const Row> Batches::next() {
  if (position_ + size_ > rows_.size()) position_ = 0;
  position_ += size_;
  return std::span(rows_).subspan(position_ - size_, size_);
}

}  // namespace bench
