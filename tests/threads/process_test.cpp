// What a process has only once, in many threads: signals, and names of files.
#include <gtest/gtest.h>

#include <csignal>

#include "rlhf/checkpoint/stop_signals.hpp"
#include "rlhf/io/files.hpp"
#include "support/temporary_folder.hpp"
#include "threads/in_threads.hpp"

namespace rlhf {
namespace {

using checkpoint::StopSignals;

TEST(Threads, AllSeeTheSignalThatOneOfThemGets) {
  const StopSignals outer;
  EXPECT_EQ(StopSignals::caught(), 0);
  test::in_threads(4, [](int rank) {
    if (rank == 3) {
      ::raise(SIGTERM);  // kill() may choose a thread, where ThreadSanitizer can lose it
      return;
    }
    while (StopSignals::caught() == 0) const StopSignals inner;  // comes and goes meanwhile
    EXPECT_EQ(StopSignals::caught(), SIGTERM);
  });
}

TEST(Threads, LeaveTheSignalsAsTheyWere) {
  struct sigaction action = {};
  ::sigaction(SIGINT, nullptr, &action);
  const auto before = action.sa_handler;
  test::in_threads(4, [](int) {
    for (int i = 0; i < 200; ++i) const StopSignals stop;
  });
  ::sigaction(SIGINT, nullptr, &action);
  EXPECT_EQ(action.sa_handler, before);
}

TEST(Threads, WriteOneFileAndEachFindsItWhole) {
  const test::TemporaryFolder folder;
  const auto text = [](int rank) { return std::string(1000, static_cast<char>('a' + rank)); };
  test::in_threads(4, [&](int rank) {
    for (int i = 0; i < 20; ++i) {
      io::write_file_atomically(folder / "same", text(rank));
      const std::string read = io::read_file(folder / "same");
      ASSERT_EQ(read, text(read[0] - 'a'));
    }
  });
  EXPECT_EQ(folder.entry_count(), 1);
}

}  // namespace
}  // namespace rlhf
