/// Rows as they stand in JSONL files: demonstrations, rankings, unpaired preferences, prompts.
///
///     {"prompt": "2 + 2 =", "completion": " 4"}                                      Demonstration
///     {"messages": [{"role": "user", "content": "2 + 2?"},
///                   {"role": "assistant", "content": "4"}]}                          Demonstration
///     {"prompt": "2 + 2 =", "responses": [" 4", " I don't know", " 5"]}              Ranking
///     {"prompt": "2 + 2 =", "responses": [" 4", " four", " 5"], "ranks": [1, 1, 2]}  with a tie
///     {"prompt": "2 + 2 =", "chosen": " 4", "rejected": " 5"}                        Ranking of
///     two
///     {"chosen": "2 + 2 = 4", "rejected": "2 + 2 = 5"}                               the same
///     {"prompt": "2 + 2 =", "completion": " 4", "label": true}                 UnpairedPreference
///     {"prompt": "2 + 2 =", "answer": "4"}                                           Prompt
///
/// dataset_format.hpp has them all. Whatever else a row holds is kept in `extra`, where a reward
/// can read it (the gold answer).
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rlhf/data/dataset_format.hpp"
#include "rlhf/data/jsonl.hpp"
#include "rlhf/text/chat_template.hpp"

namespace rlhf::data {

/// At least one message.
using Conversation = std::vector<Message>;
/// Text as it stands, or messages that a chat template makes text of.
using Content = std::variant<std::string, Conversation>;

/// The text of a content that is text.
/// @throws Error that starts with `where` for a conversation
const std::string& text_of(const Content& content, const std::string& where);

/// What to imitate: the completion, of which in a conversation the assistant's turns.
struct Demonstration {
  std::optional<Content> prompt = {};  ///< absent: language modelling, the completion is all
  Content completion = {};
  /// The row's further fields. In a conversation, "tools" and the entries of
  /// "chat_template_kwargs" are variables of the chat template.
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();
  std::string source = {};  ///< "path:line"; empty: made in memory
};

/// K responses to one prompt, best first.
struct Ranking {
  Content prompt = {};
  std::vector<Content> responses = {};             ///< [K], K >= 2, no two alike
  std::optional<std::vector<int64_t>> ranks = {};  ///< [K], not falling; equal ranks are ties
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();
  std::string source = {};
};

/// One response to a prompt, and whether it is one that people want.
struct UnpairedPreference {
  Content prompt = {};
  Content completion = {};
  bool label = false;
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();
  std::string source = {};
};

/// What to respond to. Read from a row of any type that has a prompt: what it answers is then among
/// the further fields.
struct Prompt {
  Content prompt = {};
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();
  std::string source = {};
};

template <class Row>
concept DataRow = std::same_as<Row, Demonstration> || std::same_as<Row, Ranking> ||
    std::same_as<Row, UnpairedPreference> || std::same_as<Row, Prompt>;

/// @throws Error that starts with `where` for a ranking of one, an empty response, two responses
///         that are alike, ranks of another number than the responses, or ranks that fall
void require_ranking(const Ranking& ranking, const std::string& where);

struct ReadOptions {
  FieldNames fields = {};
  int64_t max_line_bytes = default_max_line_bytes;
};

/// One row from its JSON value; `source` ("path:line") begins every message.
///
/// An implicit prompt is the longest common beginning of chosen and rejected, in whole messages or
/// in characters, that leaves something of both; a space at its end goes to the responses.
/// @throws Error as kind_of, and if the row's type is another one, a field is of another type or
///         empty, a conversation has no message, a message no role or, unless it is the
///         assistant's, no content, a completion nothing of the assistant, or a ranking does not
///         hold together
template <DataRow Row>
Row row_from(nlohmann::ordered_json value, const FieldNames& fields, std::string source);
template <>
Demonstration row_from(nlohmann::ordered_json, const FieldNames&, std::string);
template <>
Ranking row_from(nlohmann::ordered_json, const FieldNames&, std::string);
template <>
UnpairedPreference row_from(nlohmann::ordered_json, const FieldNames&, std::string);
template <>
Prompt row_from(nlohmann::ordered_json, const FieldNames&, std::string);

/// The rows of a JSONL file, one at a time. All are of one type and format.
///
///     RowReader<Demonstration> rows("train.jsonl");
///     while (auto row = rows.next()) use(*row);
template <DataRow Row>
class RowReader {
 public:
  explicit RowReader(std::filesystem::path path, ReadOptions options = {})
      : lines_(std::move(path), options.max_line_bytes), fields_(std::move(options.fields)) {}

  /// The next row, or nothing at the end.
  /// @throws Error as JsonlReader and row_from, and if a row is of another type or format than the
  ///         first
  std::optional<Row> next();

 private:
  JsonlReader lines_;
  FieldNames fields_;
  std::optional<RowKind> kind_;
  std::string first_;  ///< "path:line" of the first row
};

extern template class RowReader<Demonstration>;
extern template class RowReader<Ranking>;
extern template class RowReader<UnpairedPreference>;
extern template class RowReader<Prompt>;

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
  for (const Row& row : rows) table.emplace_back(row.extra);
  return table;
}

}  // namespace rlhf::data
