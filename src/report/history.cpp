#include "rlhf/report/history.hpp"

#include <fmt/format.h>

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

const MetricSeries& MetricHistory::operator[](std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) fail("metric", "one that was logged", fmt::format("\"{}\"", name));
  return series_[found->second];
}

}  // namespace rlhf
