#include "rlhf/report/clock.hpp"

#include <chrono>

namespace rlhf {
namespace {

template <class Source>
double seconds_of() {
  return std::chrono::duration<double>(Source::now().time_since_epoch()).count();
}

}  // namespace

Clock steady_clock() {
  return seconds_of<std::chrono::steady_clock>;
}
Clock wall_clock() {
  return seconds_of<std::chrono::system_clock>;
}

}  // namespace rlhf
