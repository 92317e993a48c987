#include "rlhf/report/console.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

#include "rlhf/core/error.hpp"

namespace rlhf {
namespace {

constexpr double seconds_between_draws = 0.1;
constexpr int64_t bar_columns = 24;
constexpr size_t default_metric_count = 3;
constexpr std::string_view clear_line = "\r\x1b[2K";

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, rest);
  return fmt::format("{}:{:02}", minutes, rest);
}

std::string rate(double steps_per_second) {
  if (steps_per_second >= 100) return fmt::format("{:.0f} step/s", steps_per_second);
  if (steps_per_second >= 1) return fmt::format("{:.1f} step/s", steps_per_second);
  return fmt::format("{:.1f} s/step", 1 / steps_per_second);
}

std::string bar(double fraction) {
  const auto full = static_cast<int64_t>(std::clamp(fraction, 0.0, 1.0) * bar_columns);
  std::string drawn;
  for (int64_t column = 0; column < bar_columns; ++column) {
    drawn += column < full ? "━" : column == full ? "╶" : "─";
  }
  return drawn;
}

/// The first `columns` characters; a UTF-8 character is never cut.
std::string_view clip(std::string_view line, int64_t columns) {
  int64_t used = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool starts_character = (static_cast<uint8_t>(line[i]) & 0xC0) != 0x80;
    if (starts_character && used++ == columns) return line.substr(0, i);
  }
  return line;
}

}  // namespace

Console Console::standard_error() {
  Console console{.write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }};
  console.is_terminal = ::isatty(STDERR_FILENO) == 1;
  winsize size = {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    console.columns = size.ws_col;
  }
  return console;
}

void ConsoleOptions::validate() const {
  require(total_steps >= 0, "ConsoleOptions::total_steps", ">= 0", total_steps);
  require(line_every >= 0, "ConsoleOptions::line_every", ">= 0", line_every);
}

class ConsoleProgress::Display {
 public:
  Display(ConsoleOptions options, Console console, Clock clock)
      : options_(std::move(options)), console_(std::move(console)), clock_(std::move(clock)) {
    options_.validate();
    started_ = clock_();
  }

  void log(int64_t step, std::span<const Metric> metrics) {
    now_ = clock_();
    if (!first_step_) {
      first_step_ = step;
      first_logged_ = now_;
    }
    const bool is_new_step = step != step_;
    step_ = step;
    remember(metrics);
    if (console_.is_terminal) {
      draw();
    } else if (is_new_step && options_.line_every > 0 &&
               (step % options_.line_every == 0 || step == options_.total_steps)) {
      console_.write(line() + "\n");
    }
  }

  void finish() {
    if (!console_.is_terminal || !first_step_) return;
    console_.write(fmt::format("{}{}\n", clear_line, clip(line(), console_.columns - 1)));
  }

 private:
  void draw() {
    if (now_ - drawn_ < seconds_between_draws && step_ != options_.total_steps) return;
    drawn_ = now_;
    console_.write(fmt::format("{}{}", clear_line, clip(line(), console_.columns - 1)));
  }

  void remember(std::span<const Metric> metrics) {
    for (const Metric& metric : metrics) {
      const auto known = std::find_if(shown_.begin(), shown_.end(),
                                      [&](const Metric& m) { return m.name == metric.name; });
      if (known != shown_.end()) {
        known->value = metric.value;
      } else if (is_wanted(metric.name)) {
        shown_.push_back(metric);
      }
    }
    std::stable_sort(shown_.begin(), shown_.end(), [this](const Metric& a, const Metric& b) {
      return place(a.name) < place(b.name);
    });
  }

  /// Where the options name a metric; their number of metrics where they do not.
  std::ptrdiff_t place(const std::string& name) const {
    const auto& metrics = options_.metrics;
    return std::find(metrics.begin(), metrics.end(), name) - metrics.begin();
  }

  bool is_wanted(const std::string& name) const {
    if (options_.metrics.empty()) return shown_.size() < default_metric_count;
    return place(name) < std::ssize(options_.metrics);
  }

  std::string line() const {
    // Measured from the first log on: before it lie another run's steps, or a pause to start up.
    const double seconds = now_ - first_logged_;
    const auto done = static_cast<double>(step_ - *first_step_);
    const bool is_bounded = options_.total_steps > 0;
    std::string text = options_.label;
    const auto add = [&](std::string_view part) {
      if (!text.empty()) text += "  ";
      text += part;
    };
    if (is_bounded) {
      const double total = static_cast<double>(options_.total_steps);
      if (console_.is_terminal) add(bar(static_cast<double>(step_) / total));
      add(fmt::format("{}/{}", step_, options_.total_steps));
    } else {
      add(fmt::format("step {}", step_));
    }
    const int64_t left = std::max<int64_t>(options_.total_steps - step_, 0);
    if (seconds > 0 && done > 0) {
      add(rate(done / seconds));
      if (left > 0) add(duration(static_cast<double>(left) * seconds / done) + " left");
    }
    if (left == 0) add("in " + duration(now_ - started_));
    for (const Metric& metric : shown_) add(fmt::format("{} {:.4g}", metric.name, metric.value));
    return text;
  }

  ConsoleOptions options_;
  Console console_;
  Clock clock_;
  double started_ = 0;
  double first_logged_ = 0;
  double now_ = 0;
  double drawn_ = -std::numeric_limits<double>::infinity();
  int64_t step_ = -1;
  std::optional<int64_t> first_step_;
  std::vector<Metric> shown_;
};

ConsoleProgress::ConsoleProgress(ConsoleOptions options, Console console, Clock clock)
    : display_(
          std::make_unique<Display>(std::move(options), std::move(console), std::move(clock))) {}
ConsoleProgress::ConsoleProgress(ConsoleProgress&&) noexcept = default;
ConsoleProgress& ConsoleProgress::operator=(ConsoleProgress&& other) noexcept {
  std::swap(display_, other.display_);
  return *this;
}
ConsoleProgress::~ConsoleProgress() {
  finish();
}

void ConsoleProgress::log(int64_t step, std::span<const Metric> metrics) {
  if (display_) display_->log(step, metrics);
}

void ConsoleProgress::finish() {
  if (display_) std::exchange(display_, nullptr)->finish();
}

}  // namespace rlhf
