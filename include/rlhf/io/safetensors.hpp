/// Safetensors files as LibTorch's tensors: the format models are exchanged in. How it looks, and
/// what reads no LibTorch, is in io/safetensors_layout.hpp.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rlhf/core/tensor.hpp"
#include "rlhf/io/safetensors_layout.hpp"

namespace rlhf::io {

/// What a safetensors file holds.
struct Safetensors {
  std::vector<NamedTensor> tensors = {};  ///< on the CPU, in the order of their data
  std::map<std::string, std::string> metadata = {};
};

/// A whole file. Nothing is allocated for the tensors before the header has been checked, and then
/// no more than the file's own size.
/// @throws Error as read_safetensors_header; a BOOL byte other than 0 and 1
Safetensors read_safetensors(const std::filesystem::path& path);
Safetensors read_safetensors(const MappedFile& file);

/// Writes atomically, as the form that takes bytes. Tensors elsewhere are copied to the CPU.
/// @throws Error naming the tensor: a name twice, "__metadata__" or not UTF-8; no tensor; a layout
///         or type that the format lacks
Written write_safetensors(const std::filesystem::path& path,
                          const std::vector<NamedTensor>& tensors,
                          const std::map<std::string, std::string>& metadata = {});

/// Tensors as what a writer takes: on the CPU and contiguous, copied only where they are not.
class StorableTensors {
 public:
  /// @param where   begins the messages
  /// @throws Error  naming the tensor: none, or of a layout or type that safetensors lacks
  StorableTensors(const std::vector<NamedTensor>& tensors, std::string_view where);
  /// In the given order; they last as long as this does.
  const std::vector<TensorBytes>& bytes() const { return bytes_; }

 private:
  std::vector<Tensor> kept_;
  std::vector<TensorBytes> bytes_;
};

}  // namespace rlhf::io
