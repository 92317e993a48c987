// Teams of any size that meet, one after the other and from several threads.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "../../../src/kernels/team.hpp"

namespace rlhf::kernels {
namespace {

/// Everybody adds what everybody wrote the round before; returns the sum that all must have.
int64_t sum_in_rounds(int threads, int rounds) {
  std::vector<int64_t> written(static_cast<size_t>(threads), 1), next = written;
  run_team(threads, [&](const Member& member) {
    for (int round = 0; round < rounds; ++round) {
      next[static_cast<size_t>(member.rank)] =
          std::accumulate(written.begin(), written.end(), int64_t{0}) % 1009 + member.rank;
      member.barrier();
      if (member.rank == 0) std::swap(written, next);
      member.barrier();
    }
  });
  return std::accumulate(written.begin(), written.end(), int64_t{0});
}

int64_t expected_sum(int threads, int rounds) {
  int64_t sum = threads;
  for (int round = 0; round < rounds; ++round) {
    sum = threads * (sum % 1009) + threads * (threads - 1) / 2;
  }
  return sum;
}

TEST(Team, MembersMeetAsOftenAsTheyLike) {
  for (const int threads : {2, 5, 1, 3, 3, 2, 4, 5}) {
    EXPECT_EQ(sum_in_rounds(threads, 300), expected_sum(threads, 300)) << threads << " threads";
  }
  for (int call = 0; call < 2000; ++call) {
    const int threads = 1 + call % 3;
    ASSERT_EQ(sum_in_rounds(threads, 1), expected_sum(threads, 1)) << "call " << call;
  }
}

TEST(Team, WaitsForAMemberThatIsLate) {
  std::atomic<int> done{0};
  run_team(3, [&](const Member& member) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * member.rank));
    ++done;
    member.barrier();
    EXPECT_EQ(done, 3);
    member.barrier();
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * (2 - member.rank)));
    ++done;
  });
  EXPECT_EQ(done, 6);
}

TEST(Team, InATeamIsOfOne) {
  std::atomic<int> alone{0};
  run_team(3, [&](const Member& member) {
    EXPECT_EQ(member.size, 3);
    run_team(2, [&](const Member& inner) {
      alone += static_cast<int>(inner.size == 1);
      inner.barrier();
    });
  });
  EXPECT_EQ(alone, 3);
}

TEST(Team, OfEachThreadIsItsOwn) {
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      const int threads = 1 + caller;
      for (int call = 0; call < 50; ++call) {
        right += static_cast<int>(sum_in_rounds(threads, 3) == expected_sum(threads, 3));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, 4 * 50);
}

TEST(Team, KeepsLibTorchOnAThreadEach) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "tests/threads is compiled without OpenMP";
#endif
  at::set_num_threads(3);
  std::atomic<int> most{0};
  run_team(2, [&](const Member&) { most = std::max<int>(most, at::get_num_threads()); });
  EXPECT_EQ(most, 1);
  EXPECT_EQ(at::get_num_threads(), 3);
  EXPECT_EQ(threads_for(16 * 2), 2);
  EXPECT_EQ(threads_for(16 * 100), 3);
  EXPECT_EQ(threads_for(0), 1);
  at::set_num_threads(1);
}

TEST(Team, HasHelpersInANewProcessToo) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer allows a new process no threads";
#endif
  ASSERT_EQ(sum_in_rounds(3, 2), expected_sum(3, 2));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(20);  // where it would wait for ever
    ::_exit(sum_in_rounds(3, 2) == expected_sum(3, 2) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Team, SharesRowsWithoutGapOrOverlap) {
  for (const int64_t count : {0, 1, 15, 16, 17, 100, 1000}) {
    for (const int size : {1, 2, 3, 7}) {
      for (const int64_t grain : {1, 16}) {
        int64_t end = 0;
        for (int rank = 0; rank < size; ++rank) {
          const Member::Range range = Member{.rank = rank, .size = size}.part(count, grain);
          EXPECT_EQ(range.begin, end);
          EXPECT_GE(range.size(), 0);
          EXPECT_TRUE(range.end % grain == 0 || range.end == count);
          end = range.end;
        }
        EXPECT_EQ(end, count);
      }
    }
  }
}

}  // namespace
}  // namespace rlhf::kernels
