// Files read as hostile: whatever bytes they hold, rows come out whole or an Error names the line.
#include "rlhf/data/rows.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "rlhf/core/error.hpp"
#include "rlhf/core/random.hpp"

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

template <DataRow Row>
size_t read_rows(const std::string& path) {
  size_t rows = 0;
  try {
    RowReader<Row> reader(path, {.max_line_bytes = 400});
    while (const auto row = reader.next()) {
      ++rows;
      EXPECT_FALSE(row->prompt.empty());
      EXPECT_TRUE(row->extra.is_object());
    }
  } catch (const Error& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with(path + ":")) << error.what();
  }
  return rows;
}

TEST(RowReader, ReadsOrRefusesAnyBytes) {
  const std::string path =
      testing::TempDir() + "rlhf_fuzz_" + std::to_string(::getpid()) + ".jsonl";
  Generator generator(1);
  size_t rows = 0;
  constexpr int trials = 3000;
  for (int trial = 0; trial < trials; ++trial) {
    std::ofstream(path, std::ios::binary) << mutated(valid, generator);
    rows += read_rows<Ranking>(path) + read_rows<Prompt>(path);
  }
  std::filesystem::remove(path);
  EXPECT_GT(rows, size_t{trials}) << "most edits leave a row or two whole";
  EXPECT_LT(rows, size_t{4 * trials}) << "and some do not";
}

}  // namespace
}  // namespace rlhf::data
