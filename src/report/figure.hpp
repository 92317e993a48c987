/// A chart as an HTML figure: the drawing as SVG, and its numbers beside it for the pointer.
#pragma once

#include <cstdint>
#include <string>

#include "rlhf/report/chart.hpp"

namespace rlhf::report {

enum class ChartSize : uint8_t { large, small };

/// @param id  unique in the document
std::string chart_figure(const Chart& chart, ChartSize size, int64_t id);

}  // namespace rlhf::report
