/// Which files a Hugging Face folder is made of.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace rlhf::io {

inline constexpr const char* config_name = "config.json";
inline constexpr const char* single_weights_name = "model.safetensors";
inline constexpr const char* index_name = "model.safetensors.index.json";

/// Whether a name is that of a file in the folder itself: not empty, "." or "..", without "/" or
/// bytes below 32.
bool is_plain_name(std::string_view name);

/// "model.safetensors" and "model-00001-of-00002.safetensors".
bool is_weights_name(std::string_view name);

/// "model-00001-of-00002.safetensors" of 1 and 2.
std::string shard_name(size_t number, size_t count);

}  // namespace rlhf::io
