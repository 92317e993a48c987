#include "gguf_cursor.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"
#include "rlhf/io/gguf.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::io {
namespace {

struct KnownGgufType {
  const char* name;
  int64_t bytes;  ///< 0: it says itself
};
// In the order of the enumeration.
constexpr std::array<KnownGgufType, 13> gguf_types = {{{"uint8", 1},
                                                       {"int8", 1},
                                                       {"uint16", 2},
                                                       {"int16", 2},
                                                       {"uint32", 4},
                                                       {"int32", 4},
                                                       {"float32", 4},
                                                       {"bool", 1},
                                                       {"string", 0},
                                                       {"list", 0},
                                                       {"uint64", 8},
                                                       {"int64", 8},
                                                       {"float64", 8}}};

}  // namespace

const char* name_of_gguf_type(uint32_t type) {
  return type < gguf_types.size() ? gguf_types[type].name : nullptr;
}

int64_t bytes_of_gguf_type(uint32_t type) {
  return gguf_types[type].bytes;
}

bool is_gguf_integer(uint32_t type) {
  const auto t = static_cast<GgufType>(type);
  return t <= GgufType::int32 || t == GgufType::uint64 || t == GgufType::int64;
}

bool is_gguf_float(uint32_t type) {
  const auto t = static_cast<GgufType>(type);
  return t == GgufType::float32 || t == GgufType::float64;
}

std::string GgufCursor::place(std::string_view what) const {
  return fmt::format("{}: {}", file_, what);
}

std::string_view GgufCursor::take(uint64_t count, std::string_view what) {
  if (count > bytes_.size() - offset_) {
    fail(place(what), fmt::format("{} bytes from offset {} on", count, offset_),
         fmt::format("the file's end after {}", bytes_.size() - offset_));
  }
  offset_ += count;
  return since(offset_ - count);
}

std::string_view GgufCursor::string(std::string_view what) {
  return take(number<uint64_t>(what), what);
}

std::string GgufCursor::name(std::string_view what) {
  const std::string_view text = string(what);
  if (static_cast<int64_t>(text.size()) > max_gguf_name_bytes) {
    fail(place(what), fmt::format("at most {} bytes", max_gguf_name_bytes),
         fmt::format("{}", text.size()));
  }
  if (utf8_prefix(text) != text.size()) require_utf8(text, place(what));
  return std::string(text);
}

uint32_t GgufCursor::type(std::string_view what) {
  const auto type = number<uint32_t>(what);
  if (name_of_gguf_type(type) == nullptr) {
    fail(fmt::format("{}: type", place(what)), "0 to 12", fmt::format("{}", type));
  }
  return type;
}

void GgufCursor::skip(uint32_t type_of_value, std::string_view what, int64_t depth) {
  const int64_t bytes = bytes_of_gguf_type(type_of_value);
  if (bytes > 0) {
    take(static_cast<uint64_t>(bytes), what);
  } else if (type_of_value == static_cast<uint32_t>(GgufType::string)) {
    string(what);
  } else {
    require(depth < max_gguf_list_depth, place(what),
            fmt::format("at most {} lists in each other", max_gguf_list_depth), "more");
    const uint32_t item = type(what);
    const auto count = number<uint64_t>(what);
    if (count > static_cast<uint64_t>(max_gguf_list_length)) {
      fail(fmt::format("{}: length of the list", place(what)),
           fmt::format("<= {}", max_gguf_list_length), fmt::format("{}", count));
    }
    if (const int64_t width = bytes_of_gguf_type(item); width > 0) {
      take(count * static_cast<uint64_t>(width), what);
    } else {
      for (uint64_t i = 0; i < count; ++i) skip(item, what, depth + 1);
    }
  }
}

}  // namespace rlhf::io
