/// Safetensors files byte by byte, right ones and wrong ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rlhf::test {

/// A file with this header and so many bytes of data, all zero.
inline std::string safetensors_bytes(std::string_view header, size_t data_bytes) {
  std::string bytes;
  for (size_t i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i));
  return bytes.append(header).append(data_bytes, '\0');
}

/// A file whose only tensor, "w", has these fields.
inline std::string safetensors_entry(std::string_view fields, size_t data_bytes) {
  return safetensors_bytes("{\"w\":{" + std::string(fields) + "}}", data_bytes);
}

}  // namespace rlhf::test
