/// GGUF files byte by byte, right ones and wrong ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace rlhf::test {

/// The numbers of GGUF's metadata types.
enum GgufTypeId : uint32_t {
  gguf_uint8 = 0,
  gguf_uint32 = 4,
  gguf_int32 = 5,
  gguf_float32 = 6,
  gguf_bool = 7,
  gguf_string = 8,
  gguf_list = 9,
  gguf_uint64 = 10,
  gguf_float64 = 12
};

class GgufBytes {
 public:
  GgufBytes(uint64_t tensors, uint64_t metadata, uint32_t version = 3) {
    raw("GGUF").number(version).number(tensors).number(metadata);
  }

  GgufBytes& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  template <class T>
  GgufBytes& number(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    return raw({bytes, sizeof value});
  }
  GgufBytes& string(std::string_view text) { return number<uint64_t>(text.size()).raw(text); }

  /// A key and the type of what follows.
  GgufBytes& key(std::string_view name, uint32_t type) { return string(name).number(type); }
  GgufBytes& text(std::string_view name, std::string_view value) {
    return key(name, gguf_string).string(value);
  }
  GgufBytes& integer(std::string_view name, uint32_t value) {
    return key(name, gguf_uint32).number(value);
  }
  GgufBytes& texts(std::string_view name, std::initializer_list<std::string_view> values) {
    key(name, gguf_list).number<uint32_t>(gguf_string).number<uint64_t>(values.size());
    for (const std::string_view value : values) string(value);
    return *this;
  }
  GgufBytes& integers(std::string_view name, std::initializer_list<int32_t> values) {
    key(name, gguf_list).number<uint32_t>(gguf_int32).number<uint64_t>(values.size());
    for (const int32_t value : values) number(value);
    return *this;
  }

  /// @param sizes  the row first
  GgufBytes& tensor(std::string_view name, std::initializer_list<uint64_t> sizes, uint32_t type,
                    uint64_t offset) {
    string(name).number(static_cast<uint32_t>(sizes.size()));
    for (const uint64_t size : sizes) number(size);
    return number(type).number(offset);
  }
  /// Padding, then so many bytes of data, all zero.
  GgufBytes& data(size_t count, size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment, '\0');
    bytes_.append(count, '\0');
    return *this;
  }

  operator const std::string&() const { return bytes_; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace rlhf::test
