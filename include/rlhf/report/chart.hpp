/// Charts for reports: curves over steps or over anything else, with marked points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/report/history.hpp"

namespace rlhf::report {

enum class Scale : uint8_t { linear, logarithmic };
enum class Draw : uint8_t { line, points };

/// One curve; x and y are equally long. A non-finite value, or on a logarithmic axis one that is
/// not positive, is a gap. A curve of more than 1,000 points is thinned to the extremes of each
/// stretch.
struct Curve {
  std::string name = "";
  std::vector<double> x = {}, y = {};
  Draw draw = Draw::line;
};

/// A point with its name beside it.
struct MarkedPoint {
  std::string name = "";
  double x = 0.0, y = 0.0;
};

struct Limits {
  double low = 0.0, high = 1.0;
};

struct Chart {
  std::string title = "";
  std::string x_label = "", y_label = "";
  std::vector<Curve> curves = {};
  std::vector<MarkedPoint> points = {};
  Scale y_scale = Scale::linear;
  std::optional<Limits> x_limits = {}, y_limits = {};  ///< absent: what the values need
  std::string note = "";                               ///< a sentence below the chart

  /// @throws Error naming the curve whose x and y differ in length, or the limits that are none
  void validate() const;
};

/// The metric as a curve over its steps.
Curve curve_of(const MetricSeries& series);

/// One chart a metric, in the order of `names`; empty: all metrics in the order they were logged.
/// @throws Error naming a metric that was never logged
std::vector<Chart> charts_of(const MetricHistory& history,
                             const std::vector<std::string>& names = {});

}  // namespace rlhf::report
