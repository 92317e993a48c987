#include "rlhf/report/chart.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"

namespace rlhf::report {
namespace {

void validate_limits(const std::optional<Limits>& limits, std::string_view what) {
  if (!limits) return;
  require(std::isfinite(limits->low) && std::isfinite(limits->high) && limits->low < limits->high,
          what, "finite, low < high", fmt::format("[{}, {}]", limits->low, limits->high));
}

}  // namespace

void Chart::validate() const {
  for (const Curve& curve : curves) {
    require(curve.x.size() == curve.y.size(),
            fmt::format("Chart \"{}\": y of curve \"{}\"", title, curve.name),
            fmt::format("{} values, one an x", curve.x.size()), curve.y.size());
  }
  validate_limits(x_limits, fmt::format("Chart \"{}\": x_limits", title));
  validate_limits(y_limits, fmt::format("Chart \"{}\": y_limits", title));
  if (y_limits && y_scale == Scale::logarithmic) {
    require(y_limits->low > 0, fmt::format("Chart \"{}\": y_limits", title),
            "> 0 on a logarithmic axis", y_limits->low);
  }
}

Curve curve_of(const MetricSeries& series) {
  return {.name = series.name, .x = {series.steps.begin(), series.steps.end()}, .y = series.values};
}

std::vector<Chart> charts_of(const MetricHistory& history, const std::vector<std::string>& names) {
  std::vector<Chart> charts;
  const auto add = [&](const MetricSeries& series) {
    charts.push_back({.title = series.name, .x_label = "step", .curves = {curve_of(series)}});
  };
  if (names.empty()) {
    for (const MetricSeries& series : history.series()) add(series);
  }
  for (const std::string& name : names) add(history[name]);
  return charts;
}

}  // namespace rlhf::report
