/// The figures of a long test that are committed beside it: results.json, a row a name, and
/// RESULTS.md, which says the same as a table.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::test {

struct Figures {
  std::string introduction;  ///< heading and what the columns mean
  std::string rows_are;      ///< heading of the first column
  std::vector<std::string> columns;
};

/// Writes one row, all columns in it, and leaves the others as they are there.
inline void keep_figures(const std::filesystem::path& folder, const Figures& figures,
                         const std::string& name, const nlohmann::json& row) {
  const auto path = folder / "results.json";
  auto results = std::filesystem::exists(path) ? io::read_json(path) : nlohmann::json::object();
  results[name] = row;
  std::string page = figures.introduction + "\n| " + figures.rows_are, line = "|---";
  for (const std::string& column : figures.columns) {
    page += " | " + column;
    line += "|---";
  }
  page += " |\n" + line + "|\n";
  for (const auto& [row_name, values] : results.items()) {
    page += "| " + row_name;
    for (const std::string& column : figures.columns) page += " | " + values.at(column).dump();
    page += " |\n";
  }
  io::write_file_atomically(path, results.dump(1) + "\n");
  io::write_file_atomically(folder / "RESULTS.md", page);
}

}  // namespace rlhf::test
