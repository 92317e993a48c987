/// A training program in a process of its own, which may be killed, stopped, or have its disk fail.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "support/small_runs.hpp"

namespace rlhf::fault {

/// How a process ended.
struct Ending {
  int exit_status = -1;  ///< -1 where a signal ended it
  int signal = 0;
  std::string said;  ///< what the run told, and the Error that ended it
  bool finished() const { return exit_status == 0; }
};

/// One start of a program.
struct Start {
  test::SmallRun program;
  std::filesystem::path folder;
  int64_t steps = 0;
  int threads = 1;
  int64_t save_every = 1;
  std::function<void()> first = {};  ///< in the new process, before the program
};

class Child {
 public:
  explicit Child(const Start& start);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Sends a signal once the process has run so long, unless it has ended by then.
  void send_after(std::chrono::microseconds delay, int signal);
  Ending wait();

 private:
  std::filesystem::path log_;
  pid_t process_ = 0;
  bool waited_ = false;
};

/// Starts a program and waits for its end.
Ending run(const Start& start);

}  // namespace rlhf::fault
