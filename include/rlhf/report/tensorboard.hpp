/// Metrics as TensorBoard event files: `tensorboard --logdir <folder>` shows them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "rlhf/core/metric.hpp"
#include "rlhf/report/clock.hpp"

namespace rlhf {

/// Writes one file events.out.tfevents.<seconds>.rlhf into a folder, which it makes. Each log() is
/// one event with one scalar a metric, in float32 as the format has it, and is handed to the system
/// at once.
class TensorBoardSink {
 public:
  /// @param clock  gives the time stamps of the events and of the file's name
  /// @throws Error naming the path if it cannot be written
  explicit TensorBoardSink(const std::filesystem::path& folder, Clock clock = wall_clock());
  void log(int64_t step, std::span<const Metric> metrics);

 private:
  void write(std::string_view event);

  Clock clock_;
  std::filesystem::path path_;
  std::ofstream file_;
};

namespace report {

/// TFRecord framing: length, its masked CRC-32C, the bytes, their masked CRC-32C.
std::string tfrecord(std::string_view bytes);

}  // namespace report
}  // namespace rlhf
