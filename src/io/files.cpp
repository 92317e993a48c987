#include "rlhf/io/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "rlhf/core/error.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with_errno(const fs::path& path, std::string_view action) {
  const int code = errno;
  fail(fmt::format("{}: cannot {}: {}", path.string(), action, std::strerror(code)));
}

/// An open file, closed at the end of the scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  /// Some file systems tell of a failed write only here.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return "a device or socket";
}

void write_all(int file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_with_errno(path, "write");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void sync_folder(const fs::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) fail_with_errno(folder, "open");
  // Some file systems cannot sync a folder and say EINVAL; the rename stands all the same.
  if (::fsync(opened.number()) != 0 && errno != EINVAL) fail_with_errno(folder, "sync");
}

/// A name beside `path` that nothing has yet, and the open file behind it.
std::pair<fs::path, int> create_beside(const fs::path& path) {
  static std::atomic<uint64_t> counter = 0;
  while (true) {
    fs::path name = path;
    name += fmt::format(".{}-{}.tmp", ::getpid(), counter++);
    const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) return {name, file};
    if (errno != EEXIST) fail_with_errno(path, "create a file beside it");
  }
}

}  // namespace

std::string read_file(const fs::path& path, int64_t max_bytes) {
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) fail_with_errno(path, "open");
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0) fail_with_errno(path, "read");
  require(S_ISREG(status.st_mode), path.string(), "a regular file", kind_of(status.st_mode));
  require(status.st_size <= max_bytes, path.string() + ": size in bytes",
          fmt::format("<= {}", max_bytes), static_cast<int64_t>(status.st_size));

  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::read(file.number(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_with_errno(path, "read");
    require(count > 0, path.string() + ": size in bytes", bytes.size(), filled);
    filled += static_cast<size_t>(count);
  }
  return bytes;
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  const auto [temporary, number] = create_beside(path);
  Descriptor file(number);
  try {
    write_all(file.number(), bytes, path);
    if (::fsync(file.number()) != 0) fail_with_errno(path, "sync");
    if (!file.close()) fail_with_errno(path, "close");
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_with_errno(path, "replace");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  const fs::path folder = path.parent_path();
  sync_folder(folder.empty() ? fs::path(".") : folder);
}

}  // namespace rlhf::io
