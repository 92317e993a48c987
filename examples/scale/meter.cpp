#include "meter.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace scale {
namespace {

constexpr double first_minute = 60;  // seconds
constexpr double between_looks = 1;

using SteadyClock = std::chrono::steady_clock;
const SteadyClock::time_point program_begin = SteadyClock::now();

}  // namespace

double resident_mb() {
  int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double now() {
  return std::chrono::duration<double>(SteadyClock::now() - program_begin).count();
}

Meter::Meter(std::string stage, std::string unit)
    : cost_{.stage = std::move(stage), .unit = std::move(unit)}, begin_(now()), looked_(begin_) {
  cost_.mb_at_start = cost_.mb_highest = resident_mb();
}

void Meter::count(int64_t examples, int64_t tokens) {
  cost_.examples += examples;
  cost_.tokens += tokens;
  if (now() - looked_ >= between_looks) look_at_memory();
}

void Meter::look_at_memory() {
  looked_ = now();
  const double mb = resident_mb();
  if (!cost_.mb_after_minute && looked_ - begin_ >= first_minute) {
    cost_.mb_after_minute = cost_.mb_highest = mb;
  }
  cost_.mb_highest = std::max(cost_.mb_highest, mb);
  cost_.mb_at_end = mb;
}

StageCost Meter::finish() {
  look_at_memory();
  cost_.seconds = now() - begin_;
  return cost_;
}

}  // namespace scale
