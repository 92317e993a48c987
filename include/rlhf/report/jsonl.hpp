/// Metrics as JSON lines: {"step":12,"reward":0.5,"kl":0.01}
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/metric.hpp"

namespace rlhf {

/// What to do with a file that is there.
enum class JsonlMode : uint8_t {
  replace,  ///< its lines go when the first one is logged
  append,   ///< go on after its last whole line; one torn by a crash is cut off
};

/// One object a line, in the order of the metrics, handed to the system line by line: a killed run
/// keeps its lines. Numbers read back to the same double. JSON has no non-finite numbers, so these
/// are the strings "NaN", "Infinity" and "-Infinity", which Python's float() takes.
class JsonlSink {
 public:
  /// Parent folders are made. @throws Error naming the path if it cannot be written
  explicit JsonlSink(const std::filesystem::path& path, JsonlMode mode = JsonlMode::replace);
  /// @throws Error if a metric is called "step", two have one name, a name is not UTF-8, or the
  ///         file cannot be written
  void log(int64_t step, std::span<const Metric> metrics);

  /// Where the file ends. What was logged after the checkpoint goes when it is loaded, in either
  /// mode: the steps that follow log it anew.
  /// @throws Error if the file is shorter than it was
  void archive(Archive& archive);

 private:
  int64_t size() const;
  void cut(int64_t size);

  std::filesystem::path path_;
  JsonlMode mode_;  ///< append from the first line on
  std::ofstream file_;
};

}  // namespace rlhf
