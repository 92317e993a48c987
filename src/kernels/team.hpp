/// Threads that work on one thing together: as many as LibTorch was given.
#pragma once

#include <cstdint>
#include <functional>

namespace rlhf::kernels {

class Meeting;

/// One of `size` threads.
struct Member {
  int rank;
  int size;
  Meeting* meeting = nullptr;  ///< of more than one

  /// This member's part [begin, end) of `count` rows, in multiples of `grain` but for the last.
  struct Range {
    int64_t begin, end;
    int64_t size() const { return end - begin; }
  };
  Range part(int64_t count, int64_t grain = 1) const;
  /// Waits for the others.
  void barrier() const;
};

constexpr int64_t grain = 16;  ///< rows that it pays to give a thread

/// As many of LibTorch's threads as `rows` keep busy.
int threads_for(int64_t rows);

/// Runs `work` on so many threads at once, on one where the caller is at work with others already;
/// LibTorch's operations in it stay on a thread each. An exception of one ends the program, so
/// checks come before.
void run_team(int threads, const std::function<void(const Member&)>& work);

}  // namespace rlhf::kernels
