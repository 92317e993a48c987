/// Rows of text as they stand in JSONL files: demonstrations, rankings, prompts.
///
///     {"prompt": "2 + 2 =", "completion": " 4"}                                     Demonstration
///     {"prompt": "2 + 2 =", "responses": [" 4", " I don't know", " 5"]}             Ranking, best
///     first
///     {"prompt": "2 + 2 =", "responses": [" 4", " four", " 5"], "ranks": [1, 1, 2]} Ranking with a
///     tie
///     {"prompt": "2 + 2 =", "chosen": " 4", "rejected": " 5"}                       Ranking of two
///     {"prompt": "2 + 2 =", "answer": "4"}                                          Prompt
///
/// Whatever else a row holds is kept in `extra`, where a reward can read it (the gold answer).
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/data/jsonl.hpp"

namespace rlhf::data {

/// What to imitate.
struct Demonstration {
  std::string prompt;
  std::string completion;
  nlohmann::json extra = nlohmann::json::object();  ///< the row's further fields
  std::string source = {};                          ///< "path:line"; empty: made in memory
};

/// K responses to one prompt, best first.
struct Ranking {
  std::string prompt;
  std::vector<std::string> responses;              ///< [K], K >= 2, no two alike
  std::optional<std::vector<int64_t>> ranks = {};  ///< [K], not falling; equal ranks are ties
  nlohmann::json extra = nlohmann::json::object();
  std::string source = {};
};

/// What to respond to.
struct Prompt {
  std::string prompt;
  nlohmann::json extra = nlohmann::json::object();
  std::string source = {};
};

template <class Row>
concept DataRow =
    std::same_as<Row, Demonstration> || std::same_as<Row, Ranking> || std::same_as<Row, Prompt>;

/// @throws Error that starts with `where` for a ranking of one, an empty response, two responses
///         that are alike, ranks of another number than the responses, or ranks that fall
void require_ranking(const Ranking& ranking, const std::string& where);

/// What the fields are called in the file.
struct FieldNames {
  std::string prompt = "prompt";
  std::string completion = "completion";
  std::string responses = "responses";
  std::string ranks = "ranks";
  std::string chosen = "chosen";
  std::string rejected = "rejected";
};

struct ReadOptions {
  FieldNames fields = {};
  int64_t max_line_bytes = default_max_line_bytes;
};

/// One row from its JSON value; `source` ("path:line") begins every message.
/// @throws Error if the value is no object, a field is missing, of another type or empty, or a
///         ranking does not hold together
template <DataRow Row>
Row row_from(nlohmann::json value, const FieldNames& fields, std::string source);
template <>
Demonstration row_from(nlohmann::json, const FieldNames&, std::string);
template <>
Ranking row_from(nlohmann::json, const FieldNames&, std::string);
template <>
Prompt row_from(nlohmann::json, const FieldNames&, std::string);

/// The rows of a JSONL file, one at a time.
///
///     RowReader<Demonstration> rows("train.jsonl");
///     while (auto row = rows.next()) use(*row);
template <DataRow Row>
class RowReader {
 public:
  explicit RowReader(std::filesystem::path path, ReadOptions options = {})
      : lines_(std::move(path), options.max_line_bytes), fields_(std::move(options.fields)) {}

  /// The next row, or nothing at the end. @throws Error as JsonlReader and row_from
  std::optional<Row> next() {
    auto value = lines_.next();
    if (!value) return std::nullopt;
    return row_from<Row>(std::move(*value), fields_, lines_.where());
  }

 private:
  JsonlReader lines_;
  FieldNames fields_;
};

/// All rows of a JSONL file. @throws Error as RowReader
template <DataRow Row>
std::vector<Row> read_all(std::filesystem::path path, ReadOptions options = {}) {
  RowReader<Row> reader(std::move(path), std::move(options));
  std::vector<Row> rows;
  while (auto row = reader.next()) rows.push_back(std::move(*row));
  return rows;
}

/// The table a reward looks rows up in: entry i is the `extra` of row i.
template <DataRow Row>
std::vector<nlohmann::json> extras_of(const std::vector<Row>& rows) {
  std::vector<nlohmann::json> table;
  table.reserve(rows.size());
  for (const Row& row : rows) table.push_back(row.extra);
  return table;
}

}  // namespace rlhf::data
