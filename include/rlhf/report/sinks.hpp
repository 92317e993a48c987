/// Any sink behind one type, and a list of sinks that is a sink.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/metric.hpp"

namespace rlhf {

/// Any MetricSink behind one type. Given a sink, it owns it; given std::ref(sink), it borrows it,
/// and the sink must outlive this.
class AnySink {
 public:
  template <class S>
  requires(!std::same_as<std::remove_cvref_t<S>, AnySink> && MetricSink<std::remove_cvref_t<S>>)
      AnySink(S&& sink)  // NOLINT(google-explicit-constructor): a sink is a sink
      : AnySink(Sink{std::make_shared<std::remove_cvref_t<S>>(std::forward<S>(sink))}) {}
  template <MetricSink S>
  AnySink(std::reference_wrapper<S> sink)  // NOLINT(google-explicit-constructor)
      : AnySink(Sink{&sink.get()}) {}

  void log(int64_t step, std::span<const Metric> metrics) { log_(step, metrics); }
  /// Where the sink stands, if it has an archive().
  void archive(Archive& archive) { archive_(archive); }

 private:
  template <class Pointer>
  struct Sink {
    Pointer pointer;
  };
  template <class Pointer>
  Sink(Pointer) -> Sink<Pointer>;

  template <class Pointer>
  explicit AnySink(Sink<Pointer> sink)
      : log_([sink](int64_t step, std::span<const Metric> metrics) {
          sink.pointer->log(step, metrics);
        }),
        archive_([sink](Archive& archive) {
          if constexpr (requires { sink.pointer->archive(archive); }) {
            sink.pointer->archive(archive);
          }
        }) {}

  std::function<void(int64_t, std::span<const Metric>)> log_;
  std::function<void(Archive&)> archive_;
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
  void archive(Archive& archive) {
    for (size_t i = 0; i < sinks_.size(); ++i) archive.part(std::to_string(i), sinks_[i]);
  }

 private:
  std::vector<AnySink> sinks_;
};

}  // namespace rlhf
