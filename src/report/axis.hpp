/// One axis of a chart: what it spans, where its ticks stand and how they read.
#pragma once

#include <string>
#include <vector>

#include "rlhf/report/chart.hpp"

namespace rlhf::report {

struct Tick {
  double value;
  std::string label;
};

struct TickGoal {
  int count;                    ///< about how many are wanted
  double least_distance = 0.0;  ///< 1 where nothing lies between two integers
};

class Axis {
 public:
  /// @param values   what is to be shown; the axis leaves out what it cannot show
  /// @param limits   what it shall span; absent: the values and `margin` (a share) on either side
  Axis(const std::vector<double>& values, Scale scale, const std::optional<Limits>& limits,
       double margin, TickGoal ticks);

  /// Whether a value has a place on such an axis at all.
  bool can_show(double value) const;
  /// 0 at the low end, 1 at the high end.
  double place(double value) const;
  const std::vector<Tick>& ticks() const { return ticks_; }
  Limits limits() const { return limits_; }

 private:
  void make_linear_ticks(TickGoal goal);
  void make_logarithmic_ticks(TickGoal goal);
  /// Where the axis is even: the value itself or its logarithm.
  double even(double value) const;

  Scale scale_;
  Limits limits_;
  std::vector<Tick> ticks_;
};

}  // namespace rlhf::report
