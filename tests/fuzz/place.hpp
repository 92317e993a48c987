/// Files for parsers that open their own.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/driver.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::fuzz {

/// Stands in an input between the files that a parser reads together.
inline constexpr char file_end = '\x1c';

/// Writes a file into the working folder, which the driver makes and removes.
inline void put(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// The input up to its first file_end, and the rest.
inline std::pair<std::string_view, std::string_view> cut(std::string_view input) {
  const size_t end = input.find(file_end);
  if (end == input.npos) return {input, {}};
  return {input.substr(0, end), input.substr(end + 1)};
}

/// The folder `file_name` in the working folder.
inline std::filesystem::path folder() {
  std::filesystem::create_directory(file_name);
  return file_name;
}

/// What has left the file behind when it refuses: its callers say which file it was.
template <class Action>
void beyond_the_file(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    throw Error(std::string(file_name) + ": " + error.what());
  }
}

}  // namespace rlhf::fuzz
