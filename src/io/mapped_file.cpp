#include "rlhf/io/mapped_file.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <optional>
#include <utility>

#include "descriptor.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::io {

/// What keeps the bytes: a mapping of an open file, or a string.
struct MappedFile::Pages {
  explicit Pages(std::string bytes) : owned(std::move(bytes)) {}
  Pages(Descriptor opened, const std::filesystem::path& path) : file(std::move(opened)) {
    const int64_t bytes = size_of(*file, path);
    if (bytes == 0) return;  // which mmap refuses
    size = static_cast<size_t>(bytes);
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->number(), 0);
    if (start == MAP_FAILED) fail_with_errno(path, "map");
    address = start;
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() {
    if (address != nullptr) ::munmap(address, size);
  }
  std::string_view bytes() const {
    return file ? std::string_view(static_cast<const char*>(address), size) : owned;
  }

  std::string owned = {};
  std::optional<Descriptor> file = {};
  void* address = nullptr;
  size_t size = 0;
};

MappedFile::MappedFile(const std::filesystem::path& path)
    : path_(path),
      pages_(std::make_shared<Pages>(open_regular_file(path), path)),
      bytes_(pages_->bytes()) {}

MappedFile::MappedFile(const std::filesystem::path& name, std::string bytes)
    : path_(name), pages_(std::make_shared<Pages>(std::move(bytes))), bytes_(pages_->bytes()) {}

std::string_view MappedFile::slice(int64_t offset, int64_t count) const {
  require(offset >= 0 && count >= 0 && offset <= size() && count <= size() - offset,
          path_.string() + ": bytes", fmt::format("{} from {} on", count, offset),
          fmt::format("{} in all", size()));
  if (pages_->file) {
    // A page that the file no longer has would end the program.
    const int64_t now = size_of(*pages_->file, path_);
    require(now >= size(), path_.string() + ": size in bytes since it was opened", size(), now);
  }
  return bytes_.substr(static_cast<size_t>(offset), static_cast<size_t>(count));
}

}  // namespace rlhf::io
