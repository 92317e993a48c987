/// The types of numbers that safetensors files hold.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rlhf::io {

/// "dtype" is safetensors' own word.
enum class Dtype : uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

/// As it stands in files: "F64", "BF16", "BOOL".
std::string_view name_of(Dtype dtype);
std::optional<Dtype> dtype_named(std::string_view name);
/// "one of F64, F32, ...", for messages.
std::string known_dtypes();
/// Bytes of one number.
int64_t bytes_of(Dtype dtype);

/// Numbers as they stand in a file, little-endian, into as many floats. Exact, NaNs stay NaNs.
/// @throws Error "<where>: dtype: ..." unless F32, F16 or BF16; if the sizes disagree
void to_float32(Dtype dtype, std::string_view bytes, std::span<float> numbers,
                std::string_view where);

}  // namespace rlhf::io
