#include "rlhf/reward/parallel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "rlhf/core/error.hpp"
#include "rlhf/reward/shaping.hpp"
#include "rlhf/reward/text_reward.hpp"
#include "support/error_of.hpp"
#include "support/letters.hpp"

namespace rlhf::reward {
namespace {

using std::chrono::milliseconds;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

Rollout five() {
  return rollout_of({{"a", "b."}, {"b", "cc."}, {"c", "ddd"}, {"d", "e."}, {"e", "fffff."}});
}

/// The length of each response.
Tensor lengths(const Rollout& rollout) {
  return rollout.completions.response_lengths.to(torch::kFloat32);
}

TEST(Parallel, GivesTheScoresOfOneCallWhateverTheParts) {
  const Tensor expected = lengths(five());
  for (const int64_t threads : {1, 2, 8}) {
    for (const int64_t size : {0, 1, 2, 9}) {
      const Parallel reward = parallel(lengths, {.threads = threads, .sequences_per_call = size});
      EXPECT_TRUE(torch::equal(reward(five()), expected)) << threads << " " << size;
    }
  }
}

TEST(Parallel, PartsKeepFinishAndIds) {
  const Rollout rollout = five();
  const auto sees = [](const Rollout& part) {
    EXPECT_EQ(part.completions.size(), 1);
    return torch::full({1}, static_cast<double>(part.completions.id(0)) +
                                (part.finish[0] == Finish::length ? 0.5 : 0.0));
  };
  const Tensor scores = parallel(sees)(rollout);
  EXPECT_TRUE(torch::equal(scores, torch::tensor({0.0F, 1.0F, 2.5F, 3.0F, 4.0F})));
}

TEST(Parallel, MakesAsManyCallsAtATimeAsItMayAndNoMore) {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t now = 0, most = 0;
  const auto counts = [&](const Rollout& rollout) {
    std::unique_lock lock(mutex);
    most = std::max(most, ++now);
    changed.notify_all();
    // Until three have met, or for long enough that a fourth would have come.
    changed.wait_for(lock, milliseconds(200), [&] { return most > 3; });
    --now;
    return lengths(rollout);
  };
  parallel(counts, {.threads = 3})(five());
  EXPECT_EQ(most, 3);
}

TEST(Parallel, NamesTheSequenceWhoseCallThrewAndKeepsItsException) {
  const auto refuses = [](const Rollout& rollout) -> Tensor {
    if (rollout.completions.id(0) == 2) throw std::out_of_range("no such fact");
    return lengths(rollout);
  };
  const Parallel reward = parallel(refuses, {.threads = 2});
  EXPECT_THAT(error_of([&] { reward(five()); }),
              HasSubstr("reward of sequence 2 (id 2, prompt tokens 3) threw: no such fact"));
  try {
    reward(five());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THROW(std::rethrow_if_nested(error), std::out_of_range);
  }
  const auto odd = [](const Rollout&) -> Tensor { throw 7; };
  EXPECT_THAT(error_of([&] { parallel(odd, {.threads = 1, .sequences_per_call = 3})(five()); }),
              HasSubstr("reward of sequences 0 to 2 (id 0, prompt tokens 1) threw what is no "
                        "std::exception"));
}

TEST(Parallel, NamesTheSequencesWithAnotherNumberOfScores) {
  const auto one = [](const Rollout&) { return torch::zeros({1}); };
  EXPECT_THAT(
      error_of([&] { parallel(one, {.sequences_per_call = 2})(five()); }),
      HasSubstr("reward of sequences 0 to 1 (id 0, prompt tokens 1): expected [2], got [1]"));
}

/// Hangs on one sequence until it is let go.
struct Hanging {
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool is_open = false;
    void open() {
      const std::lock_guard lock(mutex);
      is_open = true;
      opened.notify_all();
    }
  };
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  int64_t id = 3;
  Tensor operator()(const Rollout& rollout) const {
    if (rollout.completions.id(0) == id) {
      std::unique_lock lock(gate->mutex);
      gate->opened.wait(lock, [&] { return gate->is_open; });
    }
    return lengths(rollout);
  }
};

TEST(Parallel, ACallThatHangsIsAnErrorAndDoesNotHoldUpTheRest) {
  const Hanging hanging;
  const Parallel reward = parallel(hanging, {.threads = 2, .time_limit = milliseconds(50)});
  EXPECT_THAT(
      error_of([&] { reward(five()); }),
      HasSubstr("time that the reward took for sequence 3 (id 3, prompt tokens 4): expected "
                "<= 50 ms, got more"));
  EXPECT_EQ(reward.stuck(), 1);
  EXPECT_THAT(error_of([&] { reward(five()); }), HasSubstr("sequence 3"));
  EXPECT_EQ(reward.stuck(), 2);
  EXPECT_THAT(error_of([&] { reward(five()); }),
              HasSubstr("threads of a reward that are free: expected >= 1, got none: all 2 wait"));
  hanging.gate->open();
  while (reward.stuck() > 0) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_TRUE(torch::equal(reward(five()), lengths(five())));
}

TEST(Parallel, AThreadThatIsStuckOutlivesTheReward) {
  const Hanging hanging;
  {
    const Parallel reward = time_limit(Hanging{hanging.gate, 0}, milliseconds(20));
    EXPECT_THAT(error_of([&] { reward(five()); }), HasSubstr("sequences 0 to 4"));
  }
  hanging.gate->open();
}

TEST(Parallel, TakesTextRewards) {
  const Letters letters;
  const TextReward shouts{letters, [](std::string_view prompt, std::string_view response) {
                            return static_cast<float>(prompt.size() + 10 * response.size());
                          }};
  EXPECT_TRUE(torch::equal(parallel(shouts, {.threads = 3})(five()), shouts(five())));
}

TEST(Parallel, OptionsThatCannotWorkAreNamed) {
  EXPECT_THAT(error_of([] { parallel(lengths, {.threads = 0}); }),
              HasSubstr("ParallelOptions::threads: expected >= 1, got 0"));
  EXPECT_THAT(error_of([] { parallel(lengths, {.sequences_per_call = -1}); }),
              HasSubstr("ParallelOptions::sequences_per_call: expected >= 0, got -1"));
  EXPECT_THAT(error_of([] { parallel(lengths, {.time_limit = milliseconds(-1)}); }),
              HasSubstr("ParallelOptions::time_limit: expected >= 0 ms, got -1"));
}

}  // namespace
}  // namespace rlhf::reward
