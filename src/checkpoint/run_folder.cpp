#include "rlhf/checkpoint/run_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"

namespace rlhf::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view step_prefix = "step-";
constexpr std::string_view link_name = "latest";

std::optional<int64_t> step_of(std::string_view name) {
  if (!name.starts_with(step_prefix)) return std::nullopt;
  name.remove_prefix(step_prefix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc{} || end != name.data() + name.size() || step < 0) return std::nullopt;
  return step;
}

void remove_folder(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) fail(fmt::format("{}: cannot be removed: {}", path.string(), error.message()));
}

void rename_folder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail(fmt::format("{}: cannot be renamed: {}", from.string(), error.message()));
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  std::vector<fs::path> paths;
  while (!error && entry != fs::directory_iterator()) {
    paths.push_back(entry->path());
    entry.increment(error);
  }
  if (error) fail(fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  return paths;
}

void set_aside(const fs::path& folder) {
  fs::path aside = folder;
  aside += ".damaged";
  remove_folder(aside);
  rename_folder(folder, aside);
}

}  // namespace

RunFolder::RunFolder(fs::path folder, int64_t keep)
    : path_(folder.has_filename() ? std::move(folder) : folder.parent_path()),
      keep_(keep),
      lock_(path_) {
  require(keep >= 1, "checkpoints to keep", ">= 1", keep);
  for (const fs::path& entry : entries_of(path_)) {
    const std::string name = entry.filename().string();
    const bool ours = name.starts_with(step_prefix) || name.starts_with(link_name);
    if (ours && name.ends_with(".tmp")) remove_folder(entry);
  }
}

fs::path RunFolder::path_of(int64_t step) const {
  return path_ / fmt::format("{}{:08}", step_prefix, step);
}

std::vector<int64_t> RunFolder::steps() const {
  std::vector<int64_t> steps;
  for (const fs::path& entry : entries_of(path_)) {
    const auto step = step_of(entry.filename().string());
    std::error_code error;
    const bool is_folder = fs::symlink_status(entry, error).type() == fs::file_type::directory;
    if (step && is_folder && entry == path_of(*step)) steps.push_back(*step);
  }
  std::ranges::sort(steps);
  return steps;
}

/// Only the name counts: a link leads nowhere outside the folder.
std::optional<int64_t> RunFolder::latest() const {
  std::error_code error;
  const fs::path target = fs::read_symlink(path_ / link_name, error);
  return error ? std::nullopt : step_of(target.filename().string());
}

std::optional<RunFolder::Found> RunFolder::newest(
    const std::function<void(std::string_view)>& say) const {
  std::vector<int64_t> candidates = steps();
  if (candidates.empty()) return std::nullopt;
  if (const auto named = latest(); named && std::ranges::count(candidates, *named) > 0) {
    std::erase_if(candidates, [&](int64_t step) { return step > *named; });
  }
  std::string first_problem;
  std::vector<int64_t> damaged;
  for (auto step = candidates.rbegin(); step != candidates.rend(); ++step) {
    try {
      Found found{.step = *step, .checkpoint = load(path_of(*step))};
      for (const int64_t bad : damaged) set_aside(path_of(bad));
      return found;
    } catch (const Error& error) {
      say(fmt::format("{}: a checkpoint that cannot be used: {}", path_of(*step).string(),
                      error.what()));
      if (first_problem.empty()) first_problem = error.what();
      damaged.push_back(*step);
    }
  }
  fail(fmt::format("{}: none of {} checkpoints can be used; the newest: {}", path_.string(),
                   candidates.size(), first_problem));
}

fs::path RunFolder::save(int64_t step, const Checkpoint& checkpoint) const {
  const fs::path folder = path_of(step);
  checkpoint::save(folder, checkpoint);
  io::replace_link(path_ / link_name, folder.filename());
  std::vector<int64_t> old = steps();
  std::erase_if(old, [&](int64_t other) { return other > step; });
  for (size_t i = 0; i + static_cast<size_t>(keep_) < old.size(); ++i) remove(old[i]);
  return folder;
}

/// Under another name first, so that no half of a checkpoint has the name of one.
void RunFolder::remove(int64_t step) const {
  fs::path leaving = path_of(step);
  leaving += ".tmp";
  remove_folder(leaving);
  rename_folder(path_of(step), leaving);
  remove_folder(leaving);
}

}  // namespace rlhf::checkpoint
