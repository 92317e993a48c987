#include "fault/child.hpp"

#include <ATen/Parallel.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "rlhf/io/files.hpp"

namespace rlhf::fault {
namespace {

/// 0, or 1 with the Error's message in the log.
int run_program(const Start& start, const std::filesystem::path& log) {
  std::ofstream said(log);
  try {
    // A shell has its background jobs ignore SIGINT, and a run leaves it so.
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
    at::set_num_threads(start.threads);
    if (start.first) start.first();
    start.program(start.folder, start.steps,
                  {.save_every = start.save_every, .keep = 2, .say = [&](std::string_view text) {
                     said << text << std::endl;
                   }});
    return 0;
  } catch (const std::exception& error) {
    said << "threw: " << error.what() << std::endl;
    return 1;
  }
}

}  // namespace

Child::Child(const Start& start) : log_(start.folder.string() + ".log") {
  // The parent has run no tensor operation on two threads, so the child may.
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("fork failed");
  // Without the destructors of LibTorch's globals, as they take longer than a run.
  if (process_ == 0) ::_exit(run_program(start, log_));
}

Child::~Child() {
  if (waited_) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void Child::send_after(std::chrono::microseconds delay, int signal) {
  ::usleep(static_cast<useconds_t>(delay.count()));
  ::kill(process_, signal);  // a process that has ended is still there until it is waited for
}

Ending Child::wait() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  waited_ = true;
  Ending ending;
  if (WIFEXITED(status)) ending.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  if (std::filesystem::exists(log_)) ending.said = io::read_file(log_);
  return ending;
}

Ending run(const Start& start) {
  return Child(start).wait();
}

}  // namespace rlhf::fault
