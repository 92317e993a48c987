#include "rlhf/reward/parallel.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "rlhf/core/error.hpp"

namespace rlhf::reward {
namespace {

using Clock = std::chrono::steady_clock;

/// Rows `begin` to `end` as a rollout of their own. They keep the ids they had in the whole.
Rollout rows_of(const Rollout& rollout, int64_t begin, int64_t end) {
  const Tensor rows = torch::arange(begin, end);
  Completions numbered = rollout.completions;
  if (!numbered.ids) numbered.ids = torch::arange(numbered.size());
  Rollout part;
  part.completions = select(numbered, rows);
  if (rollout.log_probs.defined()) {
    part.log_probs = rollout.log_probs.narrow(0, begin, end - begin)
                         .narrow(1, 0, part.completions.longest_response());
  }
  const auto& finish = rollout.finish;
  if (!finish.empty()) part.finish = {finish.begin() + begin, finish.begin() + end};
  return part;
}

/// LibTorch's errors go on with frames of the stack.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string sequences(int64_t begin, int64_t end, const Completions& completions) {
  auto prompt = completions.prompt(begin);
  const bool cut = prompt.size() > 32;
  if (cut) prompt.resize(32);
  const std::string which = end - begin == 1 ? fmt::format("sequence {}", begin)
                                             : fmt::format("sequences {} to {}", begin, end - 1);
  return fmt::format("{} (id {}, prompt tokens {}{})", which, completions.id(begin),
                     fmt::join(prompt, " "), cut ? " ..." : "");
}

}  // namespace

/// What the threads share. It outlives the reward where a thread is stuck.
struct Parallel::Calls {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t stuck = 0;

  /// One call of the reward.
  struct Call {
    int64_t begin = 0, end = 0;
    Rollout rollout;
    std::optional<Clock::time_point> started = {};
    bool is_done = false;
    Tensor scores = {};
    std::exception_ptr thrown = {};
  };

  /// The calls of one rollout.
  struct Batch {
    std::vector<Call> calls;
    size_t next = 0;
    bool is_abandoned = false;
  };

  /// Makes calls until none is left, or none is wanted.
  static void work(const std::shared_ptr<Calls>& all, const std::shared_ptr<Batch>& batch,
                   const AnyReward& base) {
    NoGrad no_grad;
    std::unique_lock lock(all->mutex);
    while (!batch->is_abandoned && batch->next < batch->calls.size()) {
      Call& call = batch->calls[batch->next++];
      call.started = Clock::now();
      all->changed.notify_all();  // its time runs
      lock.unlock();
      Tensor scores;
      std::exception_ptr thrown;
      try {
        scores = base(call.rollout);
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      call.scores = scores;
      call.thrown = thrown;
      call.is_done = true;
      if (batch->is_abandoned) --all->stuck;
      all->changed.notify_all();
    }
  }

  /// Waits for all calls that have begun. @return the first that took too long
  const Call* wait(std::unique_lock<std::mutex>& lock, Batch& batch,
                   std::chrono::milliseconds limit) {
    while (true) {
      const auto runs = [](const Call& call) { return call.started && !call.is_done; };
      const bool failed =
          std::ranges::any_of(batch.calls, [](const Call& c) { return c.thrown != nullptr; });
      if (failed) batch.next = batch.calls.size();  // no more of them
      const auto oldest = std::ranges::find_if(batch.calls, runs);
      if (oldest == batch.calls.end() && batch.next == batch.calls.size()) return nullptr;
      if (limit.count() == 0 || oldest == batch.calls.end()) {
        changed.wait(lock);
        continue;
      }
      // Calls begin in order, so the first that runs has run longest.
      if (Clock::now() - *oldest->started >= limit) {
        batch.is_abandoned = true;
        stuck += std::ranges::count_if(batch.calls, runs);
        return &*oldest;
      }
      changed.wait_until(lock, *oldest->started + limit);
    }
  }
};

void ParallelOptions::validate() const {
  require(threads >= 1, "ParallelOptions::threads", ">= 1", threads);
  require(sequences_per_call >= 0, "ParallelOptions::sequences_per_call", ">= 0",
          sequences_per_call);
  require(time_limit.count() >= 0, "ParallelOptions::time_limit", ">= 0 ms", time_limit.count());
}

Parallel::Parallel(AnyReward base, const ParallelOptions& options)
    : base_(std::move(base)),
      options_((options.validate(), options)),
      calls_(std::make_shared<Calls>()) {}

int64_t Parallel::stuck() const {
  const std::lock_guard lock(calls_->mutex);
  return calls_->stuck;
}

Tensor Parallel::operator()(const Rollout& rollout) const {
  const int64_t rows = rollout.completions.size();
  const int64_t size = options_.sequences_per_call == 0 ? rows : options_.sequences_per_call;
  const auto batch = std::make_shared<Calls::Batch>();
  for (int64_t begin = 0; begin < rows; begin += size) {
    const int64_t end = std::min(rows, begin + size);
    batch->calls.push_back({.begin = begin, .end = end, .rollout = rows_of(rollout, begin, end)});
  }

  std::unique_lock lock(calls_->mutex);
  const int64_t free = options_.threads - calls_->stuck;
  require(free > 0, "threads of a reward that are free", ">= 1",
          fmt::format("none: all {} wait for calls that took too long", options_.threads));
  for (int64_t i = 0; i < std::min(free, std::ssize(batch->calls)); ++i) {
    std::thread([all = calls_, batch, base = base_] { Calls::work(all, batch, base); }).detach();
  }
  if (const Calls::Call* late = calls_->wait(lock, *batch, options_.time_limit)) {
    fail(fmt::format("time that the reward took for {}",
                     sequences(late->begin, late->end, rollout.completions)),
         fmt::format("<= {} ms", options_.time_limit.count()), "more");
  }

  std::vector<Tensor> scores;
  for (const Calls::Call& call : batch->calls) {
    if (!call.started) continue;  // not made, after one that threw
    const std::string whose =
        fmt::format("reward of {}", sequences(call.begin, call.end, rollout.completions));
    if (call.thrown) {
      try {
        std::rethrow_exception(call.thrown);
      } catch (const std::exception& error) {
        std::throw_with_nested(Error(fmt::format("{} threw: {}", whose, first_line(error.what()))));
      } catch (...) {
        std::throw_with_nested(Error(fmt::format("{} threw what is no std::exception", whose)));
      }
    }
    require_shape(call.scores, {call.end - call.begin}, whose);
    scores.push_back(call.scores);
  }
  return torch::cat(scores);
}

}  // namespace rlhf::reward
