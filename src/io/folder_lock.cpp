#include "rlhf/io/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "descriptor.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;

/// Who wrote its number into the file; only for the message.
std::string holder_of(const Descriptor& file) {
  std::array<char, 24> text = {};
  const ssize_t count = ::pread(file.number(), text.data(), text.size(), 0);
  const std::string_view number(text.data(), count > 0 ? static_cast<size_t>(count) : 0);
  const bool is_number =
      !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? fmt::format("process {}", number) : "another process";
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(fmt::format("{}: cannot be made: {}", folder.string(), error.message()));
  const fs::path path = folder / "lock";
  const auto file = std::make_shared<Descriptor>(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file->is_open()) fail_with_errno(path, "open");
  int result = 0;
  do {
    result = ::flock(file->number(), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EWOULDBLOCK) {
    fail(folder.string(), "a folder that no other process uses",
         fmt::format("one that {} holds", holder_of(*file)));
  }
  if (result != 0) fail_with_errno(path, "lock");
  const std::string number = fmt::format("{}", ::getpid());
  if (::ftruncate(file->number(), 0) != 0 ||
      ::pwrite(file->number(), number.data(), number.size(), 0) < 0) {
    fail_with_errno(path, "write");
  }
  held_ = file;
}

}  // namespace rlhf::io
