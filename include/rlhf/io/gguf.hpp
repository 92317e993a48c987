/// GGUF files, llama.cpp's format: metadata and tensors, most of them quantised in blocks.
///
///     4 bytes   "GGUF"; uint32 version; uint64 number of tensors; uint64 number of metadata
///     metadata  each a key, a type and a value
///     tensors   each a name, its sizes, a type and an offset into the data
///     data      each tensor on a multiple of general.alignment (32 where it is not said)
///
///   const io::GgufFile file("SmolLM2-135M-Instruct.Q4_1.gguf");
///   const int64_t layers = file.metadata().integer("llama.block_count");
///   for (const auto& tensor : file.tensors()) {
///     std::vector<float> numbers(static_cast<size_t>(tensor.count()));
///     file.read(tensor.name, numbers);
///   }
///
/// Versions 2 and 3, little-endian. Numbers come as float32 from F32, F16, BF16, Q4_0, Q4_1, Q5_0,
/// Q5_1, Q8_0, Q4_K and Q6_K, exactly as llama.cpp makes them.
/// Source: ggml's docs/gguf.md (MIT licence).
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/io/mapped_file.hpp"

namespace rlhf::io {

/// What one file may ask for; llama.cpp's own files stay far below.
inline constexpr int64_t max_gguf_metadata = 1 << 16;
inline constexpr int64_t max_gguf_tensors = 1 << 17;
inline constexpr int64_t max_gguf_list_length = 1 << 24;  ///< of one list in the metadata
inline constexpr int64_t max_gguf_name_bytes = 65535;     ///< of a key or a tensor's name
inline constexpr int64_t max_gguf_list_depth = 8;         ///< lists in lists
inline constexpr size_t max_gguf_dimensions = 4;

/// Values by key. Each getter throws an Error that names file, key and type if the key is missing
/// or its value is of another type.
class GgufMetadata {
 public:
  bool contains(std::string_view key) const { return values_.contains(key); }
  std::vector<std::string> keys() const;  ///< sorted

  int64_t integer(std::string_view key) const;  ///< any integer type; also refuses >= 2^63
  double number(std::string_view key) const;    ///< float32 or float64
  bool boolean(std::string_view key) const;
  std::string text(std::string_view key) const;  ///< bytes; UTF-8 is promised by nobody
  std::vector<int64_t> integers(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  /// Any value, lists in lists included.
  nlohmann::json value(std::string_view key) const;

  /// "<path>: metadata "<key>"", as messages begin.
  std::string place(std::string_view key) const;

 private:
  friend class GgufFile;
  /// A value's type and bytes; those of a list begin with the items' type and number.
  struct Value {
    uint32_t type;
    std::string_view bytes;
  };
  class Items;
  Value find(std::string_view key, std::string_view wanted) const;
  Items items(std::string_view key, std::string_view wanted, bool (*fits)(uint32_t)) const;

  std::string file_ = "";
  std::map<std::string, Value, std::less<>> values_ = {};
};

struct GgufTensor {
  std::string name = "";
  std::vector<int64_t> shape = {};  ///< row-major, as LibTorch's: the reverse of what files say
  std::string_view type = "";       ///< "F32", "Q4_1"
  int64_t begin = 0;                ///< first byte in the file
  int64_t bytes = 0;

  int64_t count() const;  ///< of numbers
};

/// A file whose every size, type and offset has been checked when this exists; the numbers are read
/// only when asked for.
class GgufFile {
 public:
  /// @throws Error naming the file and the key or tensor that does not fit
  explicit GgufFile(const std::filesystem::path& path) : GgufFile(MappedFile(path)) {}
  explicit GgufFile(MappedFile file);

  const std::filesystem::path& path() const { return file_.path(); }
  const GgufMetadata& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }  ///< in the file's order
  bool contains(std::string_view name) const { return places_.contains(name); }
  /// @throws Error if there is none
  const GgufTensor& tensor(std::string_view name) const;

  /// @throws Error naming the first tensor of a type that read() cannot turn into numbers
  void require_readable() const;

  /// Row-major.
  /// @throws Error naming the tensor: none of this name, of a type that cannot be read, or not of
  ///         `numbers.size()` numbers
  void read(std::string_view name, std::span<float> numbers) const;

 private:
  MappedFile file_;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, size_t, std::less<>> places_;
};

}  // namespace rlhf::io
