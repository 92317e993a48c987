#include "common/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "rlhf/core/error.hpp"

namespace instructgpt {

namespace fs = std::filesystem;
using rlhf::model::MemoryEstimate;
using rlhf::model::MemoryPart;

namespace {

constexpr double gib = 1 << 30;

/// LibTorch, its tables and threads, the rows, and blocks that wait to be used again.
constexpr int64_t program_bytes = int64_t{352} << 20;

std::string row(const std::string& name, double bytes) {
  return fmt::format("  {:<46}{:>9.2f}\n", name, bytes / gib);
}

/// The number in a file that holds a number alone.
std::optional<int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  int64_t number = 0;
  if (stream >> number) return number;
  return std::nullopt;
}

std::optional<int64_t> free_memory() {
  std::ifstream stream("/proc/meminfo");
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string name;
    int64_t kibibytes = 0;
    if (words >> name >> kibibytes && name == "MemAvailable:") return kibibytes << 10;
  }
  return std::nullopt;
}

/// Of the group that this process is in and of those above it.
std::optional<int64_t> group_limit() {
  std::optional<int64_t> least;
  std::ifstream stream("/proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && controllers.find("memory") == controllers.npos) continue;
    const fs::path root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* file = unified ? "memory.max" : "memory.limit_in_bytes";
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    while (true) {
      if (const auto limit = number_in(root / group / file)) {
        least = std::min(*limit, least.value_or(*limit));
      }
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
  return least;
}

}  // namespace

void MemoryTable::add(const std::string& name, int64_t bytes) {
  if (bytes > 0) lasting_.push_back({name, bytes});
}

void MemoryTable::add(const std::string& model, const MemoryEstimate& estimate) {
  add(model + ": weights", estimate.weights);
  add(model + ": weights, packed in bfloat16", estimate.packed_weights);
  add(model + ": adapters", estimate.adapters);
  add(model + ": optimizer moments", estimate.moments);
  add(model + ": remembered frozen states", estimate.frozen_states);
  if (estimate.gradients > 0) {
    gradients_.push_back({model + ": gradients, learning", estimate.gradients});
  }
  largest_.gradients += estimate.gradients;
  for (const auto field :
       {&MemoryEstimate::arriving_gradients, &MemoryEstimate::activations, &MemoryEstimate::logits,
        &MemoryEstimate::decoding_copy, &MemoryEstimate::prompt_pass, &MemoryEstimate::kv_cache,
        &MemoryEstimate::step_logits, &MemoryEstimate::merged_copy}) {
    largest_.*field = std::max(largest_.*field, estimate.*field);
  }
}

int64_t MemoryTable::total() const {
  int64_t sum = program_bytes + largest_.peak();
  for (const MemoryPart& part : lasting_) sum += part.bytes;
  return sum;
}

std::string MemoryTable::text(std::optional<int64_t> limit) const {
  std::string text = fmt::format("memory, at most {:>39}\n", "GiB");
  const auto show = [&](const std::string& name, int64_t bytes) {
    text += row(name, static_cast<double>(bytes));
  };
  for (const MemoryPart& part : lasting_) show(part.name, part.bytes);
  show("the program itself", program_bytes);
  for (const MemoryPart& part : gradients_) show(part.name, part.bytes);
  MemoryEstimate turns = largest_;
  turns.gradients = 0;  // shown above, model by model
  for (const MemoryPart& part : turns.parts()) show(part.name, part.bytes);
  show("together; learning, sampling, saving in turn", total());
  return text + (limit ? row("there is", static_cast<double>(*limit)) : "  there is: unknown\n");
}

void MemoryTable::require_fits(double allowed) const {
  const std::optional<int64_t> limit =
      allowed > 0 ? std::optional(static_cast<int64_t>(allowed * gib)) : available_memory();
  const std::string table = text(limit);
  std::cout << table << std::flush;
  if (!limit || total() <= *limit) return;
  rlhf::fail(
      allowed > 0 ? "memory for this run (--memory)" : "memory for this run",
      fmt::format("<= {:.2f} GiB", static_cast<double>(*limit) / gib),
      fmt::format(
          "{:.2f} GiB. Less is needed with --lora-rank, --freeze, --checkpointing, a smaller "
          "--micro-batch-tokens, --batch-size or --max-tokens.\n{}",
          static_cast<double>(total()) / gib, table));
}

int64_t longest_together(const rlhf::Tensor& lengths, int64_t rows) {
  if (lengths.numel() == 0) return 0;
  return std::get<0>(lengths.topk(std::min(rows, lengths.numel()))).sum().item<int64_t>();
}

LargestPass largest_pass(const rlhf::Tensor& lengths, int64_t rows, int64_t micro_batch_tokens) {
  const int64_t step = longest_together(lengths, rows), longest = longest_together(lengths, 1);
  LargestPass pass{.tokens = step, .sequences = std::min(rows, lengths.numel())};
  if (micro_batch_tokens > 0) pass.tokens = std::min(step, std::max(micro_batch_tokens, longest));
  if (pass.tokens < step) pass.passes = (step + pass.tokens - 1) / pass.tokens;
  return pass;
}

std::optional<int64_t> available_memory() {
  const auto free = free_memory(), limit = group_limit();
  if (free && limit) return std::min(*free, *limit);
  return free ? free : limit;
}

}  // namespace instructgpt
