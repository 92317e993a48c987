/// Safetensors files: named tensors and string metadata, the format models are exchanged in.
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
#include <string>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::io {

/// What a safetensors file holds.
struct Safetensors {
  std::vector<NamedTensor> tensors = {};  ///< on the CPU, in the order of their data
  std::map<std::string, std::string> metadata = {};
};

/// One tensor as the header describes it.
struct SafetensorsEntry {
  std::string name = "";
  at::ScalarType dtype = at::kFloat;
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
};

/// A longer header is refused; it would describe more than 100,000 tensors.
inline constexpr int64_t max_safetensors_header_bytes = int64_t{1} << 24;

/// What is in a file, without reading the tensors.
/// @throws Error naming the file, the tensor and the field that does not fit
SafetensorsHeader read_safetensors_header(const std::filesystem::path& path);

/// A whole file. Nothing is allocated for the tensors before the header has been checked, and then
/// no more than the file's own size.
/// @throws Error as read_safetensors_header; a BOOL byte other than 0 and 1
Safetensors read_safetensors(const std::filesystem::path& path);

/// Writes atomically (io::write_file_atomically). The order is kept, except that wider types stand
/// first, so that every tensor is aligned to its element. Tensors elsewhere are copied to the CPU.
/// @throws Error naming the tensor: a name twice, "__metadata__" or not UTF-8; no tensor; a layout
///         or type that the format lacks
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace rlhf::io
