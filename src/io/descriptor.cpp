#include "descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "rlhf/core/error.hpp"

namespace rlhf::io {
namespace {

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return "a device or socket";
}

struct stat status_of(const Descriptor& file, const std::filesystem::path& path) {
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0) fail_with_errno(path, "read");
  return status;
}

}  // namespace

void fail_with_errno(const std::filesystem::path& path, std::string_view action) {
  const int code = errno;
  fail(fmt::format("{}: cannot {}: {}", path.string(), action, std::strerror(code)));
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

bool Descriptor::close() {
  return ::close(release()) == 0;
}

int Descriptor::release() {
  return std::exchange(number_, -1);
}

Descriptor open_regular_file(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) fail_with_errno(path, "open");
  const mode_t mode = status_of(file, path).st_mode;
  require(S_ISREG(mode), path.string(), "a regular file", kind_of(mode));
  return file;
}

int64_t size_of(const Descriptor& file, const std::filesystem::path& path) {
  return static_cast<int64_t>(status_of(file, path).st_size);
}

}  // namespace rlhf::io
