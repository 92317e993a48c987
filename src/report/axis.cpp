#include "axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace rlhf::report {
namespace {

/// The 1, 2 or 5 times a power of ten that cuts `range` into about `goal` parts.
double tick_distance(double range, int goal) {
  const double rough = range / goal;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double lead = rough / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

/// "1e+06" is "1e6", "1e-05" is "1e-5".
std::string scientific(double value, int digits) {
  std::string text = fmt::format("{:.{}g}", value, digits);
  const size_t exponent = text.find('e');
  if (exponent == text.npos) return text;
  return fmt::format("{}e{}", text.substr(0, exponent), std::stoi(text.substr(exponent + 1)));
}

/// @param largest  the axis's largest magnitude, which chooses one notation for all its ticks
std::string linear_label(double value, double distance, double largest) {
  if (std::abs(value) < distance * 1e-6) return "0";
  if (largest < 1e9 && distance >= 1e5) return fmt::format("{:g}M", value / 1e6);
  if (largest < 1e6 && largest >= 1e4 && distance >= 100) return fmt::format("{:g}k", value / 1e3);
  if (largest >= 1e6 || distance < 1e-4) {
    return scientific(value, 1 + static_cast<int>(std::ceil(std::log10(largest / distance))));
  }
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(distance) + 1e-9)));
  return fmt::format("{:.{}f}", value, digits);
}

}  // namespace

Axis::Axis(const std::vector<double>& values, Scale scale, const std::optional<Limits>& limits,
           double margin, TickGoal ticks)
    : scale_(scale) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double low = infinity, high = -infinity;
  for (const double value : values) {
    if (!can_show(value)) continue;
    low = std::min(low, even(value));
    high = std::max(high, even(value));
  }
  if (low > high) low = 0, high = 1;  // nothing to show
  if (high - low <= 1e-9 * std::max(std::abs(low), std::abs(high))) {
    const double room = low == 0 ? 0.5 : 0.1 * std::abs(low);
    low -= room, high += room;
  } else {
    const double room = margin * (high - low);
    low -= room, high += room;
  }
  const bool is_log = scale == Scale::logarithmic;
  limits_ = is_log ? Limits{std::pow(10.0, low), std::pow(10.0, high)} : Limits{low, high};
  if (limits) limits_ = *limits;
  is_log ? make_logarithmic_ticks(ticks) : make_linear_ticks(ticks);
}

bool Axis::can_show(double value) const {
  constexpr double too_large = 1e100;  // differences and ratios stay finite below it
  return std::abs(value) < too_large && (scale_ == Scale::linear || value > 1 / too_large);
}

double Axis::even(double value) const {
  return scale_ == Scale::linear ? value : std::log10(value);
}

double Axis::place(double value) const {
  const double low = even(limits_.low), high = even(limits_.high);
  return (even(value) - low) / (high - low);
}

void Axis::make_linear_ticks(TickGoal goal) {
  const double range = limits_.high - limits_.low;
  const double distance = std::max(tick_distance(range, goal.count), goal.least_distance);
  const double slack = 1e-9 * range;
  const double largest = std::max(std::abs(limits_.low), std::abs(limits_.high));
  for (double n = std::ceil((limits_.low - slack) / distance); n * distance <= limits_.high + slack;
       ++n) {
    ticks_.push_back({n * distance, linear_label(n * distance, distance, largest)});
  }
}

void Axis::make_logarithmic_ticks(TickGoal goal) {
  const double low = std::log10(limits_.low), high = std::log10(limits_.high);
  const double decades_between = std::max(1.0, std::floor((high - low) / goal.count));
  const bool is_narrow = high - low < 2;  // else there are two powers of ten in it
  const double first = std::floor(low / decades_between) * decades_between;
  for (double power = first; power <= high + 1e-9; power += decades_between) {
    for (const double lead : {1.0, 2.0, 5.0}) {
      const double value = lead * std::pow(10.0, power);
      const double slack = 1 + 1e-9;
      const bool is_inside = value * slack >= limits_.low && value <= limits_.high * slack;
      if (is_inside && (lead == 1.0 || is_narrow)) ticks_.push_back({value, scientific(value, 3)});
    }
  }
  if (ticks_.size() < 2) {
    ticks_.clear();
    make_linear_ticks(goal);
  }
}

}  // namespace rlhf::report
