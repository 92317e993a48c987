// Work done by several threads at once.
#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace rlhf::test {

/// Calls work(rank) in so many threads, which begin together: what is over before the next thread
/// has started races with nothing.
template <class Work>
void in_threads(int count, const Work& work) {
  std::latch all_here(count);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      all_here.arrive_and_wait();
      work(rank);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace rlhf::test
