#include "rlhf/checkpoint/stop_signals.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <mutex>

namespace rlhf::checkpoint {
namespace {

constexpr std::array<int, 2> stop_signals = {SIGINT, SIGTERM};

std::atomic<int> caught_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch it");

std::mutex installing;
int living = 0;
std::array<struct sigaction, stop_signals.size()> before = {};

extern "C" void remember_or_exit(int signal) {
  int none = 0;
  if (!caught_signal.compare_exchange_strong(none, signal)) ::_exit(128 + signal);
}

}  // namespace

StopSignals::StopSignals() {
  const std::lock_guard guard(installing);
  if (living++ > 0) return;
  caught_signal = 0;
  struct sigaction action = {};
  action.sa_handler = remember_or_exit;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < stop_signals.size(); ++i) {
    ::sigaction(stop_signals[i], nullptr, &before[i]);
    // Whoever starts a program with the signal ignored (nohup, a shell's &) wants it so.
    if (before[i].sa_handler != SIG_IGN) ::sigaction(stop_signals[i], &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  const std::lock_guard guard(installing);
  if (--living > 0) return;
  for (size_t i = 0; i < stop_signals.size(); ++i) {
    ::sigaction(stop_signals[i], &before[i], nullptr);
  }
}

int StopSignals::caught() {
  return caught_signal;
}

}  // namespace rlhf::checkpoint
