#include "rlhf/report/jsonl.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json json_number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

/// Cuts off what follows the last line end.
void cut_torn_line(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(0, std::ios::end);
  const int64_t size = file.tellg();
  int64_t kept = size;
  char last = '\n';
  for (; kept > 0; --kept) {
    file.seekg(kept - 1);
    if (!file.get(last) || last == '\n') break;
  }
  if (!file) fail(path.string() + ": cannot be read");
  std::error_code error;
  if (kept < size) fs::resize_file(path, static_cast<uintmax_t>(kept), error);
  if (error) fail(fmt::format("{}: cannot be cut: {}", path.string(), error.message()));
}

}  // namespace

JsonlSink::JsonlSink(const fs::path& path, JsonlMode mode) : path_(path), mode_(mode) {
  std::error_code error;  // what is wrong is told by the file that cannot be opened
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (mode == JsonlMode::append && fs::is_regular_file(path, error)) cut_torn_line(path);
  file_.open(path, std::ios::binary | std::ios::app);
  if (!file_) fail(path.string() + ": cannot be opened for writing");
}

int64_t JsonlSink::size() const {
  if (mode_ == JsonlMode::replace || !fs::is_regular_file(path_)) return 0;
  return static_cast<int64_t>(fs::file_size(path_));
}

void JsonlSink::cut(int64_t size) {
  if (!fs::is_regular_file(path_)) return;  // a terminal, /dev/null
  const auto actual = static_cast<int64_t>(fs::file_size(path_));
  require(actual >= size, path_.string() + ": bytes", fmt::format(">= {}", size), actual);
  std::error_code error;
  fs::resize_file(path_, static_cast<uintmax_t>(size), error);
  if (error) fail(fmt::format("{}: cannot be cut: {}", path_.string(), error.message()));
}

void JsonlSink::archive(Archive& archive) {
  if (archive.phase() == Archive::Phase::save && fs::is_regular_file(path_)) io::sync_file(path_);
  int64_t bytes = size();
  archive.value("bytes", bytes);
  if (!archive.loading()) return;
  cut(bytes);
  mode_ = JsonlMode::append;
}

void JsonlSink::log(int64_t step, std::span<const Metric> metrics) {
  std::set<std::string_view> seen = {"step"};
  std::string line = fmt::format("{{\"step\":{}", step);
  for (const Metric& metric : metrics) {
    io::require_utf8(metric.name, "name of a metric");
    require(seen.insert(metric.name).second, "name of a metric", "each once, none \"step\"",
            metric.name);
    line += fmt::format(",{}:{}", json(metric.name).dump(), json_number(metric.value).dump());
  }
  if (mode_ == JsonlMode::replace) cut(0);
  mode_ = JsonlMode::append;
  file_ << line << "}\n" << std::flush;
  if (!file_) fail(path_.string() + ": cannot be written");
}

}  // namespace rlhf
