#include "rlhf/io/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "descriptor.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/crc32c.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;

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

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_with_errno(to, "replace");
}

/// Both names change at one instant; false where the file system cannot.
bool exchange_names(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) fail_with_errno(b, "replace");
  return false;
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
  const Descriptor file = open_regular_file(path);
  const int64_t size = size_of(file, path);
  require(size <= max_bytes, path.string() + ": size in bytes", fmt::format("<= {}", max_bytes),
          size);

  std::string bytes(static_cast<size_t>(size), '\0');
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

Written write_file_atomically(const fs::path& path, std::string_view bytes) {
  return write_file_atomically(path, std::span(&bytes, 1));
}

Written write_file_atomically(const fs::path& path, std::span<const std::string_view> pieces) {
  const auto [temporary, number] = create_beside(path);
  Descriptor file(number);
  Written written;
  try {
    for (const std::string_view bytes : pieces) {
      write_all(file.number(), bytes, path);
      written.bytes += static_cast<int64_t>(bytes.size());
      written.crc32c = crc32c(bytes, written.crc32c);
    }
    if (::fsync(file.number()) != 0) fail_with_errno(path, "sync");
    if (!file.close()) fail_with_errno(path, "close");
    rename_or_fail(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(parent_of(path));
  return written;
}

void sync_file(const fs::path& path) {
  const Descriptor file = open_regular_file(path);
  if (::fsync(file.number()) != 0) fail_with_errno(path, "sync");
}

void replace_link(const fs::path& link, const fs::path& target) {
  fs::path temporary = link;
  temporary += ".tmp";
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) fail_with_errno(temporary, "remove");
  if (::symlink(target.c_str(), temporary.c_str()) != 0) fail_with_errno(temporary, "make a link");
  try {
    rename_or_fail(temporary, link);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(parent_of(link));
}

void replace_folder(const fs::path& temporary, const fs::path& path) {
  sync_folder(temporary);
  if (!fs::exists(fs::symlink_status(path))) {
    rename_or_fail(temporary, path);
    return sync_folder(parent_of(path));
  }
  fs::path old = temporary;
  if (!exchange_names(temporary, path)) {
    old = path.string() + ".old";
    rename_or_fail(path, old);
    rename_or_fail(temporary, path);
  }
  sync_folder(parent_of(path));
  std::error_code error;
  fs::remove_all(old, error);
  if (error) fail(fmt::format("{}: cannot remove: {}", old.string(), error.message()));
}

void write_folder_atomically(const fs::path& folder, std::string_view marker,
                             const std::function<void(const fs::path&)>& write) {
  // "a/b/" and "a/b" are one folder.
  const fs::path path = folder.has_filename() ? folder : folder.parent_path();
  std::error_code error;  // the forms without it throw what is not our Error
  if (fs::exists(fs::symlink_status(path, error))) {
    require(fs::exists(path / marker, error), path.string(),
            fmt::format("a folder with {}, or nothing yet", marker), "something else");
  }
  fs::path temporary = path;
  temporary += ".tmp";
  fs::remove_all(temporary, error);
  if (!error) fs::create_directories(temporary, error);
  if (error) fail(fmt::format("{}: cannot be made: {}", temporary.string(), error.message()));
  try {
    write(temporary);
    replace_folder(temporary, path);
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
}

}  // namespace rlhf::io
