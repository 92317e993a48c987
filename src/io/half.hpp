/// The two 16-bit floating types as float32. Every value of theirs is one, so nothing is rounded.
#pragma once

#include <bit>
#include <cstdint>

namespace rlhf::io {

/// The upper half of a float32.
inline float float_of_bfloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// IEEE 754 binary16: sign, 5 bits of exponent with bias 15, 10 of fraction.
inline float float_of_float16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1FU;
  const uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {
    // Of integers: where subnormal floats are flushed to zero, their bit patterns would be lost.
    const float size = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(size) | sign);
  }
  const uint32_t rebiased = exponent == 0x1F ? 0xFF : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (rebiased << 23) | (fraction << 13));
}

}  // namespace rlhf::io
