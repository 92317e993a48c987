#include "folder_files.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rlhf::io {
namespace {

/// Takes digits from the front; false where there are none.
bool take_digits(std::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(end);
  return end > 0;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return c == '/' || (c >= 0 && c < ' '); });
}

bool is_weights_name(std::string_view name) {
  if (name == single_weights_name) return true;
  return take(name, "model-") && take_digits(name) && take(name, "-of-") && take_digits(name) &&
         name == ".safetensors";
}

std::string shard_name(size_t number, size_t count) {
  return fmt::format("model-{:05}-of-{:05}.safetensors", number, count);
}

}  // namespace rlhf::io
