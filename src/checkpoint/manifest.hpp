/// checkpoint.json, which says what the other files of a checkpoint are. No LibTorch is read, so
/// that tests/fuzz can compile it alone.
#pragma once

#include <filesystem>
#include <string>

#include "rlhf/io/files.hpp"
#include "rlhf/io/mapped_file.hpp"

namespace rlhf::checkpoint {

/// The layout that save() writes and the only one that load() takes.
inline constexpr int64_t format_version = 2;

inline constexpr const char* manifest_file = "checkpoint.json";
inline constexpr const char* state_file = "state.json";
inline constexpr const char* tensors_file = "tensors.safetensors";

/// The text of checkpoint.json.
std::string manifest_of(const io::Written& tensors, const io::Written& state);

/// The other files, whose bytes are those that were written.
struct Files {
  io::MappedFile state, tensors;
};

/// @throws Error naming the folder or the file and what is wrong: missing, of another size than
///         checkpoint.json says or with another checksum, of another format or version
Files checked_files(const std::filesystem::path& folder);

}  // namespace rlhf::checkpoint
