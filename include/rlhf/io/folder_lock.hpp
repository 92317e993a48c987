/// One process at a time in a folder.
#pragma once

#include <filesystem>
#include <memory>

namespace rlhf::io {

/// Held as long as this object and its process live: the system drops it when the process dies,
/// however it dies. The file "lock" in the folder stays and means nothing by itself.
class FolderLock {
 public:
  /// Makes the folder where it is not there.
  /// @throws Error naming the folder, and the process that holds it
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  std::shared_ptr<void> held_;
};

}  // namespace rlhf::io
