/// A file's bytes in memory without a copy: the system brings a page when somebody reads it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace rlhf::io {

/// Copies share the mapping, which lasts as long as one of them. A file that another program makes
/// shorter while it is mapped is noticed by slice(); writers of this library never do so, as they
/// put a new file in the old one's place.
class MappedFile {
 public:
  /// @throws Error naming the path: missing, unreadable, not a regular file
  explicit MappedFile(const std::filesystem::path& path);
  /// Bytes that are in memory already, under a name that serves the messages.
  MappedFile(const std::filesystem::path& name, std::string bytes);

  const std::filesystem::path& path() const { return path_; }
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }
  std::string_view bytes() const { return bytes_; }

  /// `count` bytes from `offset` on.
  /// @throws Error naming the path if they do not lie in the file, or no longer do
  std::string_view slice(int64_t offset, int64_t count) const;

 private:
  struct Pages;
  std::filesystem::path path_;
  std::shared_ptr<const Pages> pages_;
  std::string_view bytes_;
};

}  // namespace rlhf::io
