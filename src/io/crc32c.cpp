#include "rlhf/io/crc32c.hpp"

#include <array>
#include <cstring>

namespace rlhf::io {
namespace {

constexpr std::array<uint32_t, 256> table = [] {
  constexpr uint32_t reversed_polynomial = 0x82F63B78;
  std::array<uint32_t, 256> remainders = {};
  for (uint32_t byte = 0; byte < remainders.size(); ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? reversed_polynomial : 0);
    }
    remainders[byte] = remainder;
  }
  return remainders;
}();

uint32_t by_table(std::string_view bytes, uint32_t remainder) {
  for (const char c : bytes) {
    remainder = (remainder >> 8) ^ table[(remainder ^ static_cast<uint8_t>(c)) & 0xFF];
  }
  return remainder;
}

#ifdef __x86_64__
/// By the processor's own instruction: checkpoints are gigabytes.
[[gnu::target("sse4.2")]] uint32_t by_instruction(std::string_view bytes, uint32_t remainder) {
  uint64_t wide = remainder;
  for (; bytes.size() >= sizeof(uint64_t); bytes.remove_prefix(sizeof(uint64_t))) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  return by_table(bytes, static_cast<uint32_t>(wide));
}
#endif

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t before) {
#ifdef __x86_64__
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~by_instruction(bytes, ~before);
#endif
  return ~by_table(bytes, ~before);
}

}  // namespace rlhf::io
