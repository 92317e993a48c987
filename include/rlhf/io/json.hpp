/// JSON read as hostile: every mistake names its line, nesting is bounded, keys do not repeat.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rlhf::io {

/// How deep arrays and objects may stand in each other.
inline constexpr int64_t max_json_depth = 100;

/// The value that `text` spells. `path` and `first_line` (the line of the file that `text` starts
/// on, as in a JSONL file) only serve the messages.
/// @throws Error "path:line: ..." where it is no JSON, nests deeper than max_json_depth, or
///         names a key of an object twice
nlohmann::json parse_json(std::string_view text, const std::filesystem::path& path,
                          int64_t first_line = 1);
/// The same with the keys of objects in their order.
nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::filesystem::path& path,
                                          int64_t first_line = 1);

/// A value or a name as a message quotes it: as JSON, so that no control character of a file
/// reaches the terminal, and cut off where it is long.
std::string quote(const nlohmann::json& value);

/// The value in a file.
/// @throws Error as read_file and parse_json
nlohmann::json read_json(const std::filesystem::path& path, int64_t max_bytes = int64_t{1} << 30);

}  // namespace rlhf::io
