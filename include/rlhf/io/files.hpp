/// Files read as hostile, and written whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace rlhf::io {

/// The bytes of a regular file. The size is checked before anything is allocated.
/// @throws Error naming the path: missing, unreadable, not a regular file, larger than `max_bytes`,
///         or cut off while it was read
std::string read_file(const std::filesystem::path& path, int64_t max_bytes = int64_t{1} << 33);

/// What was written, as it was in memory.
struct Written {
  int64_t bytes = 0;
  uint32_t crc32c = 0;
};

/// Writes `bytes` to a temporary name beside `path`, syncs it, renames it over `path` and syncs the
/// folder: after a crash the file is the old one or the new one. A link is replaced, not followed.
/// @throws Error naming the path; the old file is then untouched and no temporary remains
Written write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
/// The same of pieces that stand in the file end to end, so that nobody need join them in memory.
Written write_file_atomically(const std::filesystem::path& path,
                              std::span<const std::string_view> pieces);

/// Brings what other programs and streams have written to a file onto the disk.
/// @throws Error naming the path
void sync_file(const std::filesystem::path& path);

/// Makes `link` a symbolic link to `target`, in place of a link that has the name: after a crash it
/// is the old link or the new one.
/// @throws Error naming the link; the old one is then untouched
void replace_link(const std::filesystem::path& link, const std::filesystem::path& target);

/// Syncs the folder `temporary` and gives it the name `path` in the same parent folder, in place of
/// a folder that has that name. After a crash `path` is the old folder or the new one; on a file
/// system that cannot exchange two names, `path` with ".old" added may be the old one.
/// @throws Error naming the path
void replace_folder(const std::filesystem::path& temporary, const std::filesystem::path& path);

/// Makes a folder that is there as a whole or not at all: `write` fills a temporary one beside it
/// (".tmp" added), which then takes its place. Parent folders are made.
/// @param marker  the file that tells such a folder from any other: only a folder that holds it is
///                ever replaced
/// @throws Error  naming the path, and what `write` throws; an old folder is then untouched and no
///                temporary one remains
void write_folder_atomically(const std::filesystem::path& folder, std::string_view marker,
                             const std::function<void(const std::filesystem::path&)>& write);

}  // namespace rlhf::io
