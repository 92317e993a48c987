#include "rlhf/io/crc32c.hpp"

#include <array>

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

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t before) {
  uint32_t remainder = ~before;
  for (const char c : bytes) {
    remainder = (remainder >> 8) ^ table[(remainder ^ static_cast<uint8_t>(c)) & 0xFF];
  }
  return ~remainder;
}

}  // namespace rlhf::io
