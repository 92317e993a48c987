/// The tokens that a job works on: read from what the peers' scripts dump, or drawn as they draw.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"
#include "shapes.hpp"

namespace bench {

/// A prompt and the responses to it, best first.
struct Row {
  std::vector<int64_t> prompt;
  std::vector<std::vector<int64_t>> responses = {};
  int64_t ends_after = 0;  ///< tokens after which a sampled response ends; 0: at the length limit
};

/// What `--dump` of a peer wrote. @throws Error naming the file and the line
std::vector<Row> read_rows(const std::string& path);

/// Prompts alone; `ragged`: with responses that end after 8 .. 48 tokens.
enum class Ends { full, ragged };
std::vector<Row> prompt_rows(const Shape& shape, int64_t count, int64_t prompt, Ends ends,
                             rlhf::Generator& generator);
/// Prompts with `group` responses each. Lengths are drawn evenly from 16 .. 128 and cut in the
/// ratio 1 : 3; the responses share the first one's prompt.
std::vector<Row> ragged_rows(const Shape& shape, int64_t count, int64_t group,
                             rlhf::Generator& generator);

/// All responses of these rows, each behind its prompt; rows without responses are prompts alone.
rlhf::Completions completions_of(std::span<const Row> rows);

/// Walks over rows batch by batch, from the start again when there is no whole batch left.
class Batches {
 public:
  /// @throws Error if there is not one batch
  Batches(std::vector<Row> rows, int64_t rows_a_step);
  std::span<const Row> next();

 private:
  std::vector<Row> rows_;
  size_t size_, position_ = 0;
};

}  // namespace bench
