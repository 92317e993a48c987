/// The types of GGUF's tensors: numbers stand in blocks of one scale or more and small integers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rlhf::io {

/// One type. `decode` turns `blocks` blocks into numbers, or is null where this library cannot.
struct BlockFormat {
  uint32_t id;  ///< as it stands in files
  std::string_view name;
  int64_t numbers;  ///< in a block
  int64_t bytes;    ///< of a block
  void (*decode)(const uint8_t* bytes, int64_t blocks, float* numbers) = nullptr;
};

/// Null where no type has this id or name.
const BlockFormat* block_format(uint32_t id);
const BlockFormat* block_format(std::string_view name);

/// "one of F32, F16, ...", those with a `decode`, for messages.
std::string decodable_types();

}  // namespace rlhf::io
