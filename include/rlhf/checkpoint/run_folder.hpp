/// The checkpoints of one run in one folder, which one process at a time may use:
///
///     step-00000100/  step-00000200/  ...   each a checkpoint
///     latest                                a link to the one to go on from
///     lock
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "rlhf/checkpoint/checkpoint.hpp"
#include "rlhf/io/folder_lock.hpp"

namespace rlhf::checkpoint {

class RunFolder {
 public:
  /// Makes and locks the folder, and removes what a killed process left half done.
  /// @param keep     checkpoints that stay, the newest, >= 1
  /// @throws Error   naming the folder and the process that holds it
  RunFolder(std::filesystem::path folder, int64_t keep);

  struct Found {
    int64_t step = 0;
    Checkpoint checkpoint;
  };
  /// The checkpoint that `latest` names. One that is damaged is told to `say` and set aside under
  /// its name and ".damaged", and the one before it is used.
  /// @return        nothing where the folder holds no checkpoint
  /// @throws Error  where there are some and none can be read
  std::optional<Found> newest(const std::function<void(std::string_view)>& say) const;

  /// Writes a checkpoint as a whole, then moves `latest` to it, then removes the oldest.
  /// @return        its folder
  /// @throws Error  naming the path; `latest` then names what it did, or the new checkpoint
  std::filesystem::path save(int64_t step, const Checkpoint& checkpoint) const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path path_of(int64_t step) const;
  /// Of the checkpoints that are there, in order.
  std::vector<int64_t> steps() const;

 private:
  std::optional<int64_t> latest() const;
  void remove(int64_t step) const;

  std::filesystem::path path_;
  int64_t keep_;
  io::FolderLock lock_;
};

}  // namespace rlhf::checkpoint
