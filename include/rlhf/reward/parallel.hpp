/// A reward that takes its time: several calls at once, so many and no more, each with a time
/// limit.
///
///     auto judge = reward::parallel(TextReward{tokenizer, ask_a_server},
///                                   {.threads = 8, .time_limit = std::chrono::seconds(30)});
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "rlhf/core/concepts.hpp"

namespace rlhf::reward {

struct ParallelOptions {
  int64_t threads = 4;                      ///< calls at a time, at most
  int64_t sequences_per_call = 1;           ///< 0: the whole rollout in one call
  std::chrono::milliseconds time_limit{0};  ///< of one call; 0: none

  /// @throws Error naming the field
  void validate() const;
};

/// Cuts rollouts into parts that a reward scores at the same time, in threads of their own and
/// without gradient. Models Reward.
class Parallel {
 public:
  /// @param base  safe to call from several threads at once, if there is more than one
  Parallel(AnyReward base, const ParallelOptions& options);

  /// float [B], in the order of the sequences, whichever part was ready first.
  ///
  /// @throws Error naming the sequences and their prompts: a call that threw (the exception is
  ///         nested in the Error), that gave another number of scores, or that took too long. Such
  ///         a call cannot be ended: its thread is left alone, keeps its copy of the sequences, and
  ///         counts among the threads until it returns; where all are so, the next call is an Error
  Tensor operator()(const Rollout& rollout) const;

  void archive(Archive& archive) const { base_.archive(archive); }

  /// Calls that took too long and have not returned yet.
  int64_t stuck() const;

 private:
  struct Calls;

  AnyReward base_;
  ParallelOptions options_;
  std::shared_ptr<Calls> calls_;
};

/// Several calls at once. @throws Error from options.validate()
template <Reward Base>
Parallel parallel(Base base, const ParallelOptions& options = {}) {
  return Parallel(AnyReward(std::move(base)), options);
}

/// One call at a time, of the whole rollout, that must be back in time.
template <Reward Base>
Parallel time_limit(Base base, std::chrono::milliseconds limit) {
  return Parallel(AnyReward(std::move(base)),
                  {.threads = 1, .sequences_per_call = 0, .time_limit = limit});
}

}  // namespace rlhf::reward
