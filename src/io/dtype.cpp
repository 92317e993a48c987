#include "rlhf/io/dtype.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "half.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::io {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

struct KnownDtype {
  std::string_view name;
  int64_t bytes;
};
// In the order of the enumeration.
constexpr std::array<KnownDtype, 10> known_dtype_list = {{{"F64", 8},
                                                          {"F32", 4},
                                                          {"F16", 2},
                                                          {"BF16", 2},
                                                          {"I64", 8},
                                                          {"I32", 4},
                                                          {"I16", 2},
                                                          {"I8", 1},
                                                          {"U8", 1},
                                                          {"BOOL", 1}}};

template <class Convert>
void widen(std::string_view bytes, std::span<float> numbers, Convert convert) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);  // may not be aligned
    numbers[i] = convert(bits);
  }
}

}  // namespace

std::string_view name_of(Dtype dtype) {
  return known_dtype_list[static_cast<size_t>(dtype)].name;
}

int64_t bytes_of(Dtype dtype) {
  return known_dtype_list[static_cast<size_t>(dtype)].bytes;
}

std::optional<Dtype> dtype_named(std::string_view name) {
  for (size_t i = 0; i < known_dtype_list.size(); ++i) {
    if (known_dtype_list[i].name == name) return static_cast<Dtype>(i);
  }
  return {};
}

std::string known_dtypes() {
  std::string list;
  for (const KnownDtype& known : known_dtype_list) {
    list += fmt::format("{}{}", list.empty() ? "one of " : ", ", known.name);
  }
  return list;
}

void to_float32(Dtype dtype, std::string_view bytes, std::span<float> numbers,
                std::string_view where) {
  const bool floating = dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16;
  require(floating, fmt::format("{}: dtype", where), "F32, F16 or BF16", name_of(dtype));
  const auto width = static_cast<size_t>(bytes_of(dtype));
  require(numbers.size() == bytes.size() / width && bytes.size() % width == 0,
          fmt::format("{}: numbers to fill", where), bytes.size() / width, numbers.size());
  if (dtype == Dtype::f32) {
    if (!bytes.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
  } else if (dtype == Dtype::f16) {
    widen(bytes, numbers, float_of_float16);
  } else {
    widen(bytes, numbers, float_of_bfloat16);
  }
}

}  // namespace rlhf::io
