// Each function below decodes one block, in the arithmetic of the reference (float32, the same
// order of operations), so that numbers agree bit for bit. Products of a float16 scale and the
// integers are exact but in Q6_K; where one is then added to, one rounding is left.
// Source: ggml's block layouts (ggml-common.h, MIT licence).
#include "gguf_blocks.hpp"

#include <array>
#include <cstring>

#include "half.hpp"

namespace rlhf::io {
namespace {

uint16_t two_bytes(const uint8_t* bytes) {
  uint16_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float half_at(const uint8_t* bytes) {
  return float_of_float16(two_bytes(bytes));
}

void f32(const uint8_t* block, float* out) {
  std::memcpy(out, block, sizeof *out);
}

void f16(const uint8_t* block, float* out) {
  *out = half_at(block);
}

void bf16(const uint8_t* block, float* out) {
  *out = float_of_bfloat16(two_bytes(block));
}

// In the types of 32 numbers, byte i of 16 holds number i in its low four bits and number i + 16 in
// its high ones; a fifth bit, where there is one, is bit i of a 32-bit word.

/// scale d, 16 bytes: d (q - 8)
void q4_0(const uint8_t* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 16; ++i) {
    const int pair = block[2 + i];
    out[i] = d * static_cast<float>((pair & 15) - 8);
    out[i + 16] = d * static_cast<float>((pair >> 4) - 8);
  }
}

/// scale d, minimum m, 16 bytes: d q + m
void q4_1(const uint8_t* block, float* out) {
  const float d = half_at(block), m = half_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    const int pair = block[4 + i];
    out[i] = d * static_cast<float>(pair & 15) + m;
    out[i + 16] = d * static_cast<float>(pair >> 4) + m;
  }
}

/// The i-th five-bit number of 32: its low bits in `pairs`, its high bit in `high`.
int five_bits(const uint8_t* high, const uint8_t* pairs, int i) {
  const int low = i < 16 ? pairs[i] & 15 : pairs[i - 16] >> 4;
  return low | (((high[i / 8] >> (i % 8)) & 1) << 4);
}

/// scale d, 4 bytes of high bits, 16 bytes: d (q - 16)
void q5_0(const uint8_t* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) {
    out[i] = d * static_cast<float>(five_bits(block + 2, block + 6, i) - 16);
  }
}

/// scale d, minimum m, 4 bytes of high bits, 16 bytes: d q + m
void q5_1(const uint8_t* block, float* out) {
  const float d = half_at(block), m = half_at(block + 2);
  for (int i = 0; i < 32; ++i) {
    out[i] = d * static_cast<float>(five_bits(block + 4, block + 8, i)) + m;
  }
}

/// scale d, 32 signed bytes: d q
void q8_0(const uint8_t* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) {
    out[i] = d * static_cast<float>(static_cast<int8_t>(block[2 + i]));
  }
}

/// The six-bit scale and minimum of group g in 0..7, out of 12 bytes: groups 0..3 have bytes g and
/// g + 4, whose two upper bits are the upper bits of groups 4..7; the lower four of those are in
/// byte g + 4, the scale's in its low half.
struct ScaleAndMinimum {
  int scale;
  int minimum;
};
ScaleAndMinimum group_of_q4_k(const uint8_t* packed, int g) {
  if (g < 4) return {packed[g] & 63, packed[g + 4] & 63};
  return {(packed[g + 4] & 15) | ((packed[g - 4] >> 6) << 4),
          (packed[g + 4] >> 4) | ((packed[g] >> 6) << 4)};
}

/// scale d, scale of minima, 12 bytes for 8 groups, 128 bytes: (d scale) q - (dmin minimum). Of
/// each 32 bytes, the low halves are one group of 32 numbers and the high halves the next.
void q4_k(const uint8_t* block, float* out) {
  const float d = half_at(block), d_minimum = half_at(block + 2);
  for (int g = 0; g < 8; ++g) {
    const ScaleAndMinimum group = group_of_q4_k(block + 4, g);
    const float scale = d * static_cast<float>(group.scale);
    const float minimum = d_minimum * static_cast<float>(group.minimum);
    const uint8_t* pairs = block + 16 + 32 * (g / 2);
    for (int i = 0; i < 32; ++i) {
      const int q = g % 2 == 0 ? pairs[i] & 15 : pairs[i] >> 4;
      out[32 * g + i] = scale * static_cast<float>(q) - minimum;
    }
  }
}

/// 128 bytes of low halves, 64 bytes of upper bits, 16 signed scales, scale d: (d scale) (q - 32).
/// Each half of the block has 64 bytes of low halves: in groups of 32 numbers, bytes 0..31 and
/// 32..63 give the low bits of groups 0 and 1, and their upper nibbles those of groups 2 and 3.
/// Its 32 bytes of upper bits hold two bits for each group in turn.
void q6_k(const uint8_t* block, float* out) {
  const float d = half_at(block + 208);
  for (int g = 0; g < 8; ++g) {
    const int half = g / 4, part = g % 4;
    const uint8_t* pairs = block + 64 * half + 32 * (part % 2);
    const uint8_t* upper = block + 128 + 32 * half;
    for (int i = 0; i < 32; ++i) {
      const int low = part < 2 ? pairs[i] & 15 : pairs[i] >> 4;
      const int q = (low | (((upper[i] >> (2 * part)) & 3) << 4)) - 32;
      const auto scale = static_cast<int8_t>(block[192 + 2 * g + i / 16]);
      out[32 * g + i] = d * static_cast<float>(scale) * static_cast<float>(q);
    }
  }
}

template <int64_t numbers, int64_t bytes, void (*decode_block)(const uint8_t*, float*)>
void decode_all(const uint8_t* in, int64_t blocks, float* out) {
  for (int64_t b = 0; b < blocks; ++b) decode_block(in + b * bytes, out + b * numbers);
}

template <int64_t numbers, int64_t bytes, void (*decode_block)(const uint8_t*, float*)>
constexpr BlockFormat readable(uint32_t id, std::string_view name) {
  return {id, name, numbers, bytes, decode_all<numbers, bytes, decode_block>};
}

constexpr std::array formats = {
    readable<1, 4, f32>(0, "F32"),
    readable<1, 2, f16>(1, "F16"),
    readable<32, 18, q4_0>(2, "Q4_0"),
    readable<32, 20, q4_1>(3, "Q4_1"),
    readable<32, 22, q5_0>(6, "Q5_0"),
    readable<32, 24, q5_1>(7, "Q5_1"),
    readable<32, 34, q8_0>(8, "Q8_0"),
    readable<256, 144, q4_k>(12, "Q4_K"),
    readable<256, 210, q6_k>(14, "Q6_K"),
    readable<1, 2, bf16>(30, "BF16"),
    // Known by name and size, so that the rest of a file that has them can be read.
    BlockFormat{9, "Q8_1", 32, 40},
    BlockFormat{10, "Q2_K", 256, 84},
    BlockFormat{11, "Q3_K", 256, 110},
    BlockFormat{13, "Q5_K", 256, 176},
    BlockFormat{15, "Q8_K", 256, 292},
    BlockFormat{16, "IQ2_XXS", 256, 66},
    BlockFormat{17, "IQ2_XS", 256, 74},
    BlockFormat{18, "IQ3_XXS", 256, 98},
    BlockFormat{19, "IQ1_S", 256, 50},
    BlockFormat{20, "IQ4_NL", 32, 18},
    BlockFormat{21, "IQ3_S", 256, 110},
    BlockFormat{22, "IQ2_S", 256, 82},
    BlockFormat{23, "IQ4_XS", 256, 136},
    BlockFormat{24, "I8", 1, 1},
    BlockFormat{25, "I16", 1, 2},
    BlockFormat{26, "I32", 1, 4},
    BlockFormat{27, "I64", 1, 8},
    BlockFormat{28, "F64", 1, 8},
    BlockFormat{29, "IQ1_M", 256, 56},
    BlockFormat{34, "TQ1_0", 256, 54},
    BlockFormat{35, "TQ2_0", 256, 66},
    BlockFormat{39, "MXFP4", 32, 17},
    BlockFormat{40, "NVFP4", 64, 36},
    BlockFormat{41, "Q1_0", 128, 18},
};

}  // namespace

const BlockFormat* block_format(uint32_t id) {
  for (const BlockFormat& format : formats) {
    if (format.id == id) return &format;
  }
  return nullptr;
}

const BlockFormat* block_format(std::string_view name) {
  for (const BlockFormat& format : formats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

std::string decodable_types() {
  std::string list;
  for (const BlockFormat& format : formats) {
    if (format.decode == nullptr) continue;
    list.append(list.empty() ? "one of " : ", ").append(format.name);
  }
  return list;
}

}  // namespace rlhf::io
