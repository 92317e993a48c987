/// Walks over the header of a GGUF file; every step is checked against the end.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace rlhf::io {

/// The types of metadata, by the numbers that stand in files.
enum class GgufType : uint32_t {
  uint8,
  int8,
  uint16,
  int16,
  uint32,
  int32,
  float32,
  boolean,
  string,
  list,
  uint64,
  int64,
  float64
};

/// "uint8", "a list"; null where no type has this number.
const char* name_of_gguf_type(uint32_t type);
/// Bytes of a value of a type of fixed size; 0 of strings and lists.
int64_t bytes_of_gguf_type(uint32_t type);
bool is_gguf_integer(uint32_t type);
bool is_gguf_float(uint32_t type);

class GgufCursor {
 public:
  /// @param file  begins every message
  GgufCursor(std::string_view bytes, std::string_view file) : bytes_(bytes), file_(file) {}

  size_t offset() const { return offset_; }
  std::string_view since(size_t begin) const { return bytes_.substr(begin, offset_ - begin); }
  /// `what` begins the message, as "metadata \"a.b\"".
  std::string_view take(uint64_t count, std::string_view what);
  template <class T>
  T number(std::string_view what) {
    T value = {};
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }
  std::string_view string(std::string_view what);
  /// A string that names something: short, and UTF-8.
  std::string name(std::string_view what);
  uint32_t type(std::string_view what);
  /// Steps over a value and checks whatever is counted in it.
  void skip(uint32_t type, std::string_view what, int64_t depth = 0);

 private:
  std::string place(std::string_view what) const;

  std::string_view bytes_;
  std::string_view file_;
  size_t offset_ = 0;
};

}  // namespace rlhf::io
