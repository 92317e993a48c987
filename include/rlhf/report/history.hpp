/// Metrics kept in memory, for reports.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/metric.hpp"

namespace rlhf {

/// One metric over the steps at which it was logged.
struct MetricSeries {
  std::string name;
  std::vector<int64_t> steps;
  std::vector<double> values;
};

/// A MetricSink that remembers. A metric may be absent at some steps.
class MetricHistory {
 public:
  void log(int64_t step, std::span<const Metric> metrics);

  /// In the order in which the names first appeared.
  const std::vector<MetricSeries>& series() const { return series_; }
  bool contains(std::string_view name) const { return index_.contains(name); }
  /// @throws Error naming a metric that was never logged
  const MetricSeries& operator[](std::string_view name) const;
  /// The newest value of a metric. @throws Error naming a metric that was never logged
  double last(std::string_view name) const { return (*this)[name].values.back(); }

  /// All of it, so that a report of a run that was interrupted shows the whole run.
  void archive(Archive& archive);

 private:
  std::vector<MetricSeries> series_;
  std::map<std::string, size_t, std::less<>> index_;
};

}  // namespace rlhf
