#include "rlhf/report/jsonl.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "rlhf/core/error.hpp"
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

JsonlSink::JsonlSink(const fs::path& path, JsonlMode mode) : path_(path) {
  const bool goes_on = mode == JsonlMode::append && fs::is_regular_file(path);
  if (goes_on) cut_torn_line(path);
  file_.open(path, std::ios::binary | (goes_on ? std::ios::app : std::ios::trunc));
  if (!file_) fail(path.string() + ": cannot be opened for writing");
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
  file_ << line << "}\n" << std::flush;
  if (!file_) fail(path_.string() + ": cannot be written");
}

}  // namespace rlhf
