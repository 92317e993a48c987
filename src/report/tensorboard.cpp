#include "rlhf/report/tensorboard.hpp"

#include <fmt/format.h>

#include <bit>
#include <concepts>

#include "rlhf/core/error.hpp"
#include "rlhf/io/crc32c.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie");

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// Protocol buffers: a field is its number and wire type, then the value.
enum class Wire : uint8_t { varint = 0, eight_bytes = 1, length = 2, four_bytes = 5 };

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string key(uint64_t field, Wire wire) {
  return varint(field << 3 | static_cast<uint64_t>(wire));
}

std::string text(uint64_t field, std::string_view bytes) {
  return key(field, Wire::length) + varint(bytes.size()) + std::string(bytes);
}

// message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary =
// 5; }
std::string event(double wall_time, std::string_view rest) {
  return key(1, Wire::eight_bytes) + bytes_of(wall_time) + std::string(rest);
}

// message Summary { repeated Value value = 1; }  message Value { string tag = 1; float simple_value
// = 2; }
std::string scalar(const Metric& metric) {
  return text(1, text(1, metric.name) + key(2, Wire::four_bytes) +
                     bytes_of(static_cast<float>(metric.value)));
}

uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(io::crc32c(bytes), 15) + 0xA282EAD8U;
}

fs::path unused_name(const fs::path& folder, double seconds) {
  const std::string stem =
      fmt::format("events.out.tfevents.{:010d}.rlhf", static_cast<int64_t>(seconds));
  fs::path path = folder / stem;
  for (int number = 1; fs::exists(path); ++number)
    path = folder / fmt::format("{}.{}", stem, number);
  return path;
}

}  // namespace

std::string report::tfrecord(std::string_view bytes) {
  const std::string length = bytes_of(uint64_t{bytes.size()});
  return length + bytes_of(masked_crc(length)) + std::string(bytes) + bytes_of(masked_crc(bytes));
}

TensorBoardSink::TensorBoardSink(const fs::path& folder, Clock clock) : clock_(std::move(clock)) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(fmt::format("{}: cannot be made: {}", folder.string(), error.message()));
  const double now = clock_();
  path_ = unused_name(folder, now);
  file_.open(path_, std::ios::binary | std::ios::trunc);
  write(event(now, text(3, "brain.Event:2")));
}

void TensorBoardSink::log(int64_t step, std::span<const Metric> metrics) {
  std::string summary;
  for (const Metric& metric : metrics) {
    io::require_utf8(metric.name, "name of a metric");
    summary += scalar(metric);
  }
  write(event(clock_(),
              key(2, Wire::varint) + varint(static_cast<uint64_t>(step)) + text(5, summary)));
}

void TensorBoardSink::write(std::string_view event) {
  file_ << report::tfrecord(event) << std::flush;
  if (!file_) fail(path_.string() + ": cannot be written");
}

}  // namespace rlhf
