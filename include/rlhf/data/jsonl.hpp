/// JSONL read one line at a time: a file of any size takes the memory of its longest line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace rlhf::data {

/// How long a line may be.
inline constexpr int64_t default_max_line_bytes = int64_t{1} << 24;

/// One JSON value a line, in UTF-8. Blank lines are skipped, they only count as lines.
class JsonlReader {
 public:
  /// @throws Error naming the path: missing, unreadable, a folder
  explicit JsonlReader(std::filesystem::path path, int64_t max_line_bytes = default_max_line_bytes);

  /// The next value, keys in their order, or nothing at the end of the file.
  /// @throws Error "path:line: ..." where a line is too long, no UTF-8 or no JSON, and
  ///         "path: empty data" where the file holds no value at all
  std::optional<nlohmann::ordered_json> next();

  /// "path:line" of the value that next() gave last.
  std::string where() const;

 private:
  bool read_line();

  std::filesystem::path path_;
  int64_t max_line_bytes_;
  std::ifstream file_;
  std::string line_;
  int64_t line_number_ = 0;
  int64_t values_ = 0;
};

}  // namespace rlhf::data
