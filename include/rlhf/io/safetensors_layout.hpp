/// Safetensors files without LibTorch: where each tensor's bytes lie, and bytes into a file.
///
///     8 bytes  little-endian length of the header
///     header   JSON {"__metadata__": {..}, name: {"dtype", "shape", "data_offsets": [begin,
///     end]}},
///              padded with spaces to a multiple of 8
///     data     the tensors' bytes, little-endian, row-major, without gaps
///
/// Types: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/io/dtype.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/mapped_file.hpp"

namespace rlhf::io {

/// One tensor as the header describes it.
struct SafetensorsEntry {
  std::string name = "";
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape = {};
  int64_t begin = 0;  ///< first byte, counted from the start of the data
  int64_t end = 0;    ///< one past the last byte
};

/// A header that has been checked against the size of its file: the tensors cover the data without
/// gap or overlap, in the order given here.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries = {};
  std::map<std::string, std::string> metadata = {};
  int64_t data_begin = 0;  ///< where the data start in the file

  /// The entry's bytes. @throws Error as MappedFile::slice
  std::string_view bytes_of(const SafetensorsEntry& entry, const MappedFile& file) const {
    return file.slice(data_begin + entry.begin, entry.end - entry.begin);
  }
};

/// A longer header is refused; it would describe more than 100,000 tensors.
inline constexpr int64_t max_safetensors_header_bytes = int64_t{1} << 24;

/// What is in a file, without reading the tensors.
/// @throws Error naming the file, the tensor and the field that does not fit
SafetensorsHeader read_safetensors_header(const std::filesystem::path& path);
SafetensorsHeader read_safetensors_header(const MappedFile& file);

/// A tensor to write; whoever made this keeps the bytes.
struct TensorBytes {
  std::string name = "";
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape = {};
  std::string_view bytes = {};  ///< little-endian, row-major
};

/// Writes atomically (io::write_file_atomically). The order is kept, except that wider types stand
/// first, so that every tensor is aligned to its element.
/// @throws Error naming the tensor: a name twice, "__metadata__" or not UTF-8; bytes that are not
///         those of its shape
Written write_tensor_bytes(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                           const std::map<std::string, std::string>& metadata = {});

}  // namespace rlhf::io
