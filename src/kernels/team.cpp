#include "team.hpp"

#include <ATen/Parallel.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace rlhf::kernels {
namespace {

/// A team works for some tens of microseconds from one wait to the next, a step's other operations
/// take some hundreds from one team to the next: little beside what it costs to put a thread to
/// sleep and to wake it. So who waits looks for as long as this before it sleeps.
constexpr std::chrono::microseconds patience{500};

void pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

/// Waits until the number is another than `old`, and returns it.
uint32_t wait_for_change(const std::atomic<uint32_t>& number, uint32_t old) {
  const auto changed = [&] { return number.load(std::memory_order_acquire) != old; };
  const auto until = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 32 && !changed(); ++i) pause();
  } while (!changed() && std::chrono::steady_clock::now() < until);
  number.wait(old, std::memory_order_acquire);
  return number.load(std::memory_order_acquire);
}

}  // namespace

/// Where the members of a team wait for each other.
class Meeting {
 public:
  void wait(int size) {
    const uint32_t round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < size) {
      wait_for_change(round_, round);
      return;
    }
    arrived_.store(0, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }

 private:
  std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};
};

namespace {

thread_local bool in_team = false;

/// LibTorch's own operations stay on a member's thread: more of them would only wait for
/// processors.
class OneThread {
 public:
#ifdef _OPENMP
  OneThread() : before_(at::get_num_threads()) {
    omp_set_num_threads(1);
  }
  ~OneThread() {
    omp_set_num_threads(before_);
  }
#else
  OneThread() = default;
#endif
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  [[maybe_unused]] int before_ = 1;
};

/// What a thread and its helpers share.
class Calls {
 public:
  uint32_t latest() const { return latest_.load(std::memory_order_relaxed); }

  /// Makes a team of the caller and helpers 1 .. size - 1.
  void make(int size, const std::function<void(const Member&)>& work) {
    const OneThread alone;
    work_ = &work;
    call(size);
    join(0, size);
  }
  void dismiss() { call(0); }

  /// A helper's life, from the call after `seen` on.
  void help(int rank, uint32_t seen) {
    const OneThread alone;
    while (true) {
      seen = wait_for_change(latest_, seen);
      const auto size = static_cast<int>(seen % sizes);
      if (size == 0) return;
      if (rank < size) join(rank, size);
    }
  }

 private:
  static constexpr uint32_t sizes = 1024;

  void call(int size) {
    latest_.store((latest() / sizes + 1) * sizes + static_cast<uint32_t>(size),
                  std::memory_order_release);
    latest_.notify_all();
  }
  void join(int rank, int size) noexcept {
    in_team = true;
    (*work_)({.rank = rank, .size = size, .meeting = &meeting_});
    in_team = false;
    meeting_.wait(size);
  }

  std::atomic<uint32_t> latest_{0};  // a number that changes, and below it the size of the team
  const std::function<void(const Member&)>* work_ = nullptr;
  Meeting meeting_;
};

/// How often this process came from another by fork(), where helpers stay behind.
int forks() {
  static std::atomic<int> count{0};
  [[maybe_unused]] static const int watched = ::pthread_atfork(nullptr, nullptr, [] { ++count; });
  return count;
}

/// A thread's helpers; they go when it ends.
class Helpers {
 public:
  Helpers() = default;
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;
  ~Helpers() { calls_->dismiss(); }

  void run(int threads, const std::function<void(const Member&)>& work) {
    if (forks_ != forks()) {
      forks_ = forks();
      calls_ = std::make_shared<Calls>();
      count_ = 0;
      // LibTorch makes its own anew where it is asked next, which two threads must not do at once.
      at::set_num_threads(at::get_num_threads());
    }
    for (; count_ + 1 < threads; ++count_) {
      // Not joined: a process may end while they wait, and they hold what they wait at.
      std::thread([calls = calls_, rank = count_ + 1, seen = calls_->latest()] {
        calls->help(rank, seen);
      }).detach();
    }
    calls_->make(threads, work);
  }

 private:
  std::shared_ptr<Calls> calls_ = std::make_shared<Calls>();
  int count_ = 0;
  int forks_ = forks();
};

}  // namespace

Member::Range Member::part(int64_t count, int64_t grain) const {
  const int64_t grains = (count + grain - 1) / grain;
  const auto bound = [&](int64_t rank_) { return std::min(count, grains * rank_ / size * grain); };
  return {bound(rank), bound(rank + 1)};
}

void Member::barrier() const {
  if (size > 1) meeting->wait(size);
}

int threads_for(int64_t rows) {
  constexpr int64_t most = 256;
  return static_cast<int>(
      std::clamp<int64_t>(rows / grain, 1, std::min<int64_t>(most, at::get_num_threads())));
}

void run_team(int threads, const std::function<void(const Member&)>& work) {
  if (threads <= 1 || in_team || at::in_parallel_region()) {
    work({.rank = 0, .size = 1});
    return;
  }
  thread_local Helpers helpers;
  helpers.run(threads, work);
}

}  // namespace rlhf::kernels
