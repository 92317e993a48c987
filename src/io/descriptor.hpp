/// Open files of the operating system, and what is said when it refuses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace rlhf::io {

/// Throws Error "<path>: cannot <action>: <why>", the why from errno.
[[noreturn]] void fail_with_errno(const std::filesystem::path& path, std::string_view action);

/// An open file, closed at the end of the scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  ~Descriptor();
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  /// Some file systems tell of a failed write only here.
  bool close();

 private:
  int release();
  int number_;
};

/// Opened for reading.
/// @throws Error naming the path: missing, unreadable, not a regular file
Descriptor open_regular_file(const std::filesystem::path& path);

/// Bytes that the file has now.
int64_t size_of(const Descriptor& file, const std::filesystem::path& path);

}  // namespace rlhf::io
