#include "rlhf/report/history.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.hpp"

namespace rlhf {

void MetricHistory::log(int64_t step, std::span<const Metric> metrics) {
  for (const Metric& metric : metrics) {
    const auto [place, is_new] = index_.try_emplace(metric.name, series_.size());
    if (is_new) series_.push_back({.name = metric.name, .steps = {}, .values = {}});
    MetricSeries& series = series_[place->second];
    series.steps.push_back(step);
    series.values.push_back(metric.value);
  }
}

void MetricHistory::archive(Archive& archive) {
  // One list of all series end to end, as their number is not known before the first is read.
  std::vector<std::string> names;
  std::vector<int64_t> sizes, steps;
  std::vector<double> values;
  for (const MetricSeries& series : series_) {
    names.push_back(series.name);
    sizes.push_back(std::ssize(series.values));
    steps.insert(steps.end(), series.steps.begin(), series.steps.end());
    values.insert(values.end(), series.values.begin(), series.values.end());
  }
  archive.value("names", names);
  archive.value("sizes", sizes);
  archive.value("steps", steps);
  archive.value("values", values);
  if (!archive.loading()) return;

  series_.clear();
  index_.clear();
  require(names.size() == sizes.size(), "stored metric history: sizes", names.size(), sizes.size());
  auto step = steps.begin();
  auto value = values.begin();
  for (size_t i = 0; i < names.size(); ++i) {
    const int64_t left = std::min(steps.end() - step, values.end() - value);
    require(sizes[i] >= 0 && sizes[i] <= left, "stored metric history: size of " + names[i],
            fmt::format("0 to {}", left), sizes[i]);
    index_.emplace(names[i], i);
    series_.push_back(
        {.name = names[i], .steps = {step, step + sizes[i]}, .values = {value, value + sizes[i]}});
    step += sizes[i];
    value += sizes[i];
  }
}

const MetricSeries& MetricHistory::operator[](std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) fail("metric", "one that was logged", fmt::format("\"{}\"", name));
  return series_[found->second];
}

}  // namespace rlhf
