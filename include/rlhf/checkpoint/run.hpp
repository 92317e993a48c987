/// A run that goes on where an earlier process stopped, however that one ended.
///
///     SftTrainer trainer{policy, options};
///     Loader loader{demonstrations, {.batch_size = 32}};
///     JsonlSink metrics{"runs/sft/metrics.jsonl"};
///     Run run{"runs/sft", {{"trainer", trainer}, {"loader", loader}, {"metrics", metrics}}};
///     run.until(1000, [&](int64_t step) {
///       metrics.log(step, trainer.step(loader.next()).metrics());
///     });
///
/// Started again, the same program takes up the newest checkpoint, and gives the weights, samples
/// and metrics that it would have given without the interruption, bit for bit, on one machine with
/// one number of threads. Whatever a step depends on must be among the parts.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/checkpoint/parts.hpp"
#include "rlhf/checkpoint/run_folder.hpp"
#include "rlhf/checkpoint/stop_signals.hpp"

namespace rlhf {

/// What a run does on SIGINT and SIGTERM, once the step is finished.
enum class OnSignal : uint8_t {
  save_and_exit,    ///< saves, says how to go on, and ends the process with 128 + signal
  save_and_return,  ///< the same, but until() returns and stopped_by() tells the signal
  ignore,           ///< the signals do what they did before
};

/// What there is to save when a step fails after it has moved weights, as PPO may in a later
/// minibatch of an update.
enum class LastGood : uint8_t {
  on_disk,    ///< nothing: the run goes on from its newest checkpoint
  in_memory,  ///< a copy of all tensors, made before every step: the state before the step
};

struct RunOptions {
  int64_t save_every = 100;  ///< steps between checkpoints; 0: only at the end or when stopped
  int64_t keep = 3;          ///< checkpoints that stay, the newest; 2 or more survive a damaged one
  OnSignal on_signal = OnSignal::save_and_exit;
  LastGood last_good = LastGood::on_disk;
  /// Options that may be others than the checkpoint's, as an error about them spells them:
  /// "trainer/optimizer/learning_rate". Those that change no result always may: see until().
  std::vector<std::string> may_change = {};
  /// Where messages go; empty: standard error.
  std::function<void(std::string_view)> say = {};

  /// @throws Error naming the field
  void validate() const;
};

class Run {
 public:
  /// Locks the folder, and makes the parts what they were at its newest checkpoint if it has one.
  /// The parts are borrowed.
  /// @throws Error from options.validate(); naming the process that uses the folder; naming each
  ///         option that is another than the checkpoint's, and each tensor that does not fit
  Run(std::filesystem::path folder, std::vector<Part> parts, RunOptions options = {});
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// One more part, before the first step.
  /// @throws Error as the constructor
  void add(Part part);

  /// Steps done, by this process and those before it.
  int64_t step() const { return step_; }

  /// Calls `body` with the number of each step that is not done yet, up to `steps`. Saves where the
  /// run begins, when it is time, and at the end. `steps`, RunOptions, micro_batch_tokens,
  /// on_non_finite and whatever else is archived as OnResume::may_change may be others each time.
  ///
  /// @throws Error  naming a part of the checkpoint that nobody has asked for; what saving throws,
  ///                after which save() may be tried again; and what `body` throws: the state before
  ///                that step is then saved first, as far as LastGood has it
  void until(int64_t steps, const std::function<void(int64_t)>& body);

  /// One step of until(), for loops with an end of their own.
  void once(const std::function<void(int64_t)>& body);

  /// Saves now, unless this step is saved already.
  void save();

  /// The signal that stopped the run, or 0. With OnSignal::save_and_return.
  int stopped_by() const { return stopped_by_; }

  const std::filesystem::path& folder() const { return folder_.path(); }

  /// What the run itself remembers.
  void archive(Archive& archive);

 private:
  /// What the checkpoint holds beside these.
  std::set<std::string> put_back(std::span<const Part> parts);
  void begin();
  void write(const Checkpoint& checkpoint);
  void save_what_was_before();
  void stop(int signal);
  void say(const std::string& message) const;

  RunOptions options_;
  checkpoint::RunFolder folder_;
  std::vector<Part> parts_;
  std::optional<Checkpoint> found_;  ///< until the first step
  std::set<std::string> unread_;     ///< of it
  bool begun_ = false;
  int64_t step_ = 0;
  std::optional<int64_t> saved_step_;
  checkpoint::Note before_step_;
  std::optional<Checkpoint> copy_before_step_;  ///< with LastGood::in_memory
  std::optional<checkpoint::StopSignals> signals_;
  int stopped_by_ = 0;
};

}  // namespace rlhf
