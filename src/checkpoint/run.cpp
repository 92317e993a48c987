#include "rlhf/checkpoint/run.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "rlhf/core/error.hpp"
#include "rlhf/core/version.hpp"

namespace rlhf {

void RunOptions::validate() const {
  require(save_every >= 0, "RunOptions::save_every", ">= 0", save_every);
  require(keep >= 1, "RunOptions::keep", ">= 1", keep);
  require_known(on_signal, OnSignal::ignore, "RunOptions::on_signal",
                "save_and_exit, save_and_return or ignore");
  require_known(last_good, LastGood::in_memory, "RunOptions::last_good", "on_disk or in_memory");
}

Run::Run(std::filesystem::path folder, std::vector<Part> parts, RunOptions options)
    : options_((options.validate(), std::move(options))),
      folder_(std::move(folder), options_.keep),
      parts_(std::move(parts)) {
  parts_.emplace_back("run", *this);
  if (auto found = folder_.newest([this](std::string_view text) { say(std::string(text)); })) {
    found_ = std::move(found->checkpoint);
    unread_ = put_back(parts_);
    saved_step_ = step_;
    say(fmt::format("goes on after step {}", step_));
  }
  if (options_.on_signal != OnSignal::ignore) signals_.emplace();
}

void Run::archive(Archive& archive) {
  archive.value("step", step_);
  archive.option("library", version(), OnResume::may_change);
  archive.option("threads", at::get_num_threads(), OnResume::may_change);
}

std::set<std::string> Run::put_back(std::span<const Part> parts) {
  auto result = checkpoint::put_back(parts, *found_, {.may_change = options_.may_change});
  for (const std::string& change : result.changed) say(change);
  return std::move(result.unread);
}

void Run::add(Part part) {
  require(!begun_, "Run::add of \"" + part.name() + "\"", "before the first step", "after it");
  if (found_) {
    const auto unread = put_back(std::span(&part, 1));
    std::erase_if(unread_, [&](const std::string& name) { return !unread.contains(name); });
  }
  parts_.push_back(std::move(part));
}

void Run::begin() {
  begun_ = true;
  require(unread_.empty(), folder().string() + ": parts of the run",
          "those of the checkpoint, which holds more",
          fmt::format("nothing for \"{}\" and {} more", unread_.empty() ? "" : *unread_.begin(),
                      unread_.empty() ? 0 : unread_.size() - 1));
  found_.reset();
  save();
}

void Run::until(int64_t steps, const std::function<void(int64_t)>& body) {
  while (step_ < steps && stopped_by_ == 0) once(body);
  save();
}

void Run::once(const std::function<void(int64_t)>& body) {
  if (!begun_) begin();
  before_step_ = checkpoint::note(parts_);
  if (options_.last_good == LastGood::in_memory) {
    copy_before_step_ = checkpoint::gather(parts_);
    for (auto& [name, tensor] : copy_before_step_->tensors) tensor = tensor.detach().clone();
  }
  try {
    body(step_ + 1);
  } catch (...) {
    save_what_was_before();
    throw;
  }
  ++step_;
  if (options_.save_every > 0 && step_ % options_.save_every == 0) save();
  if (signals_ && checkpoint::StopSignals::caught() != 0) stop(checkpoint::StopSignals::caught());
}

void Run::save() {
  if (saved_step_ != step_) write(checkpoint::gather(parts_));
}

void Run::write(const Checkpoint& checkpoint) {
  folder_.save(step_, checkpoint);
  saved_step_ = step_;
}

/// In front of an exception that must not be lost to another.
void Run::save_what_was_before() try {
  if (saved_step_ != step_ && copy_before_step_) {
    write(*copy_before_step_);
  } else if (saved_step_ != step_) {
    if (checkpoint::note(parts_).tensor_versions != before_step_.tensor_versions) {
      return say(fmt::format("step {} failed after it had moved weights: go on from {}", step_ + 1,
                             folder_.path_of(*saved_step_).string()));
    }
    Checkpoint good = checkpoint::gather(parts_);
    checkpoint::replace_values(good, before_step_);
    write(good);
  }
  say(fmt::format("step {} failed; the state before it is in {}", step_ + 1,
                  folder_.path_of(step_).string()));
} catch (const std::exception& error) {
  say(fmt::format("step {} failed, and the state before it could not be saved: {}", step_ + 1,
                  error.what()));
}

void Run::stop(int signal) {
  save();
  say(
      fmt::format("stopped by signal {} after step {}; saved in {}. Start the same program again "
                  "to go on.",
                  signal, step_, folder_.path_of(step_).string()));
  if (options_.on_signal == OnSignal::save_and_exit) std::exit(128 + signal);
  stopped_by_ = signal;
}

void Run::say(const std::string& message) const {
  const std::string line = fmt::format("{}: {}", folder().string(), message);
  if (options_.say) return options_.say(line);
  fmt::print(stderr, "{}\n", line);
}

}  // namespace rlhf
