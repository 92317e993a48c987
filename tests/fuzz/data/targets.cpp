#include "fuzz/data/targets.hpp"

#include <stdexcept>

#include "fuzz/place.hpp"
#include "rlhf/data/rows.hpp"

namespace rlhf::fuzz {
namespace {

template <data::DataRow Row>
void read_rows() {
  data::RowReader<Row> rows(file_name, {.max_line_bytes = 1 << 12});
  while (const auto row = rows.next()) {
    if (!row->source.starts_with(file_name)) throw std::logic_error("a row that has no source");
  }
}

/// The same file as rows of every kind: at most one fits.
void read_jsonl(const std::string& bytes) {
  put(file_name, bytes);
  std::string refusals;
  for (const auto read : {read_rows<data::Demonstration>, read_rows<data::Ranking>,
                          read_rows<data::UnpairedPreference>, read_rows<data::Prompt>}) {
    try {
      return read();
    } catch (const Error& error) {
      refusals = error.what();
      if (!refusals.starts_with(file_name)) throw;
    }
  }
  throw Error(refusals);
}

}  // namespace

Target jsonl_target() {
  return {"jsonl",
          read_jsonl,
          {"\n",
           "\r\n",
           "{",
           "}",
           "[",
           "]",
           "\"prompt\":",
           "\"completion\":",
           "\"chosen\":",
           "\"rejected\":",
           "\"responses\":",
           "\"ranks\":[1,1]",
           "\"label\":true",
           "\"messages\":",
           "\"text\":",
           "\"role\":\"assistant\"",
           "\"content\":\"a\"",
           "null",
           "\"\"",
           "\xff",
           "\\ud800",
           "1e999",
           "[[[[[[[["}};
}

}  // namespace rlhf::fuzz
