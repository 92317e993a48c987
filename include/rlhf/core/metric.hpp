/// A named number of one step, and what a place that takes them must offer. No LibTorch is read.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace rlhf {

/// A named scalar of one step.
struct Metric {
  std::string name;
  double value = 0.0;
};

/// Where metrics go.
///  1. log(int64_t step, std::span<const Metric>)
template <class S>
concept MetricSink = requires(S& sink, int64_t step, std::span<const Metric> metrics) {
  sink.log(step, metrics);
};

/// True, or stops the compiler with the sentence that names what is missing.
template <class S>
consteval bool require_metric_sink() {
  static_assert(MetricSink<S>,
                "rlhf: a MetricSink must have log(int64_t step, std::span<const Metric>)");
  return true;
}

}  // namespace rlhf
