// Files read as hostile: whatever bytes they hold, rows come out whole or an Error names the line.
#include "rlhf/data/rows.hpp"

#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/core/random.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::data {
namespace {

const std::string valid =
    "{\"prompt\": \"Where is Rome?\", \"responses\": [\" Italy\", \" I don't know\"], \"ranks\": "
    "[1, 2]}\n"
    "\n"
    "{\"prompt\": \"caf\u00e9 \\ud83d\\ude00\", \"chosen\": \"a\", \"rejected\": \"b\", \"by\": "
    "{\"who\": [1, null]}}\n";

const std::string valid_chats =
    "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", "
    "\"content\": null, \"tool_calls\": [{}]}], \"tools\": []}\n"
    "{\"messages\": [{\"role\": \"assistant\", \"content\": \"caf\u00e9\"}]}\n";

size_t place_in(const std::string& text, Generator& generator) {
  return static_cast<size_t>(generator.below(static_cast<int64_t>(text.size())));
}

/// A few bytes changed, cut, doubled or put in.
std::string mutated(std::string text, Generator& generator) {
  for (int64_t edits = 1 + generator.below(3); edits > 0 && !text.empty(); --edits) {
    const size_t at = place_in(text, generator);
    switch (generator.below(4)) {
      case 0:
        text[at] = static_cast<char>(generator.below(256));
        break;
      case 1:
        text.erase(at, 1 + place_in(text, generator) / 8);
        break;
      case 2:
        text.insert(at, text.substr(place_in(text, generator), 12));
        break;
      default:
        text.insert(at, 1, "{}[]\",:\\\n0-"[generator.below(11)]);
        break;
    }
  }
  return text;
}

struct Tally {
  size_t rows = 0;
  size_t refused = 0;  // files that ended in an error
};

/// What is never empty of a row.
template <DataRow Row>
const Content& never_empty(const Row& row) {
  if constexpr (requires { row.completion; })
    return row.completion;
  else
    return row.prompt;
}

template <DataRow Row>
void read_rows(const std::string& path, Tally& tally) {
  try {
    RowReader<Row> reader(path, {.max_line_bytes = 400});
    while (const auto row = reader.next()) {
      ++tally.rows;
      EXPECT_FALSE(std::visit([](const auto& part) { return part.empty(); }, never_empty(*row)));
      EXPECT_TRUE(row->extra.is_object());
    }
  } catch (const Error& error) {
    ++tally.refused;
    EXPECT_TRUE(std::string_view(error.what()).starts_with(path + ":")) << error.what();
  }
}

/// Reads a file that is right, and many that were it once.
template <DataRow... Row>
void read_damaged(const std::string& text, size_t row_count) {
  const test::TemporaryFolder folder;
  Tally whole;
  const std::string path = folder.put("rows.jsonl", text).string();
  (read_rows<Row>(path, whole), ...);
  ASSERT_EQ(whole.rows, row_count * sizeof...(Row));
  ASSERT_EQ(whole.refused, 0U);

  Generator generator(1);
  Tally damaged;
  constexpr size_t trials = 2000;
  for (size_t trial = 0; trial < trials; ++trial) {
    folder.put("rows.jsonl", mutated(text, generator));
    (read_rows<Row>(path, damaged), ...);
  }
  // Edits that find nothing to break, or break everything, would test nothing.
  const size_t reads = trials * sizeof...(Row);
  EXPECT_GT(damaged.refused, reads / 4);
  EXPECT_LT(damaged.refused, reads - reads / 40);
  EXPECT_GT(damaged.rows, reads / 10);
}

TEST(RowReader, ReadsOrRefusesAnyBytes) {
  read_damaged<Ranking, Prompt>(valid, 2);
}

TEST(RowReader, ReadsOrRefusesAnyBytesOfConversations) {
  read_damaged<Demonstration>(valid_chats, 2);
}

}  // namespace
}  // namespace rlhf::data
