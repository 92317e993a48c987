/// Any sink behind one type, and a list of sinks that is a sink.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "rlhf/core/metric.hpp"

namespace rlhf {

/// Any MetricSink behind one type. Given a sink, it owns it; given std::ref(sink), it borrows it,
/// and the sink must outlive this.
class AnySink {
 public:
  template <class S>
  requires(!std::same_as<std::remove_cvref_t<S>, AnySink> && MetricSink<std::remove_cvref_t<S>>)
      AnySink(S&& sink)  // NOLINT(google-explicit-constructor): a sink is a sink
      : log_([owned = std::make_shared<std::remove_cvref_t<S>>(std::forward<S>(sink))](
                 int64_t step, std::span<const Metric> metrics) { owned->log(step, metrics); }) {}
  template <MetricSink S>
  AnySink(std::reference_wrapper<S> sink)  // NOLINT(google-explicit-constructor)
      : log_([sink](int64_t step, std::span<const Metric> metrics) {
          sink.get().log(step, metrics);
        }) {}

  void log(int64_t step, std::span<const Metric> metrics) { log_(step, metrics); }

 private:
  std::function<void(int64_t, std::span<const Metric>)> log_;
};

/// Logs to all, in order.
///
///   Sinks sinks{ConsoleProgress{{.total_steps = 100}}, std::ref(history)};
class Sinks {
 public:
  template <class... S>
  requires(sizeof...(S) != 1 || !(std::same_as<std::remove_cvref_t<S>, Sinks> && ...)) &&
      (std::constructible_from<AnySink, S> && ...) explicit Sinks(S&&... sinks)
      : sinks_{AnySink(std::forward<S>(sinks))...} {}

  void add(AnySink sink) { sinks_.push_back(std::move(sink)); }
  void log(int64_t step, std::span<const Metric> metrics) {
    for (AnySink& sink : sinks_) sink.log(step, metrics);
  }

 private:
  std::vector<AnySink> sinks_;
};

}  // namespace rlhf
