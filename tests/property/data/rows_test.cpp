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

template <DataRow Row>
void read_rows(const std::string& path, Tally& tally) {
  try {
    RowReader<Row> reader(path, {.max_line_bytes = 400});
    while (const auto row = reader.next()) {
      ++tally.rows;
      EXPECT_FALSE(row->prompt.empty());
      EXPECT_TRUE(row->extra.is_object());
    }
  } catch (const Error& error) {
    ++tally.refused;
    EXPECT_TRUE(std::string_view(error.what()).starts_with(path + ":")) << error.what();
  }
}

TEST(RowReader, ReadsOrRefusesAnyBytes) {
  const test::TemporaryFolder folder;
  Tally whole;
  const std::string path = folder.put("rows.jsonl", valid).string();
  read_rows<Ranking>(path, whole);
  read_rows<Prompt>(path, whole);
  ASSERT_EQ(whole.rows, 4U) << "two rows, read twice";
  ASSERT_EQ(whole.refused, 0U);

  Generator generator(1);
  Tally damaged;
  constexpr size_t trials = 3000;
  for (size_t trial = 0; trial < trials; ++trial) {
    folder.put("rows.jsonl", mutated(valid, generator));
    read_rows<Ranking>(path, damaged);
    read_rows<Prompt>(path, damaged);
  }
  // Edits that find nothing to break, or break everything, would test nothing.
  EXPECT_GT(damaged.refused, trials / 2);
  EXPECT_LT(damaged.refused, 2 * trials - trials / 10);
  EXPECT_GT(damaged.rows, trials / 2);
}

}  // namespace
}  // namespace rlhf::data
