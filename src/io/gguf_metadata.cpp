#include <fmt/format.h>

#include <limits>

#include "gguf_cursor.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/gguf.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::io {
namespace {

using nlohmann::json;

constexpr auto string_type = static_cast<uint32_t>(GgufType::string);
constexpr auto list_type = static_cast<uint32_t>(GgufType::list);
constexpr auto bool_type = static_cast<uint32_t>(GgufType::boolean);

bool is_string(uint32_t type) {
  return type == string_type;
}

std::string describe(uint32_t type, std::string_view bytes) {
  if (type != list_type) return name_of_gguf_type(type);
  return fmt::format("a list of {}", name_of_gguf_type(GgufCursor(bytes, "").number<uint32_t>("")));
}

template <class T>
T fixed(std::string_view bytes) {
  return GgufCursor(bytes, "").number<T>("");
}

int64_t integer_of(uint32_t type, std::string_view bytes, std::string_view place) {
  switch (static_cast<GgufType>(type)) {
    case GgufType::uint8:
      return fixed<uint8_t>(bytes);
    case GgufType::int8:
      return fixed<int8_t>(bytes);
    case GgufType::uint16:
      return fixed<uint16_t>(bytes);
    case GgufType::int16:
      return fixed<int16_t>(bytes);
    case GgufType::uint32:
      return fixed<uint32_t>(bytes);
    case GgufType::int32:
      return fixed<int32_t>(bytes);
    case GgufType::int64:
      return fixed<int64_t>(bytes);
    default:
      break;
  }
  const auto value = fixed<uint64_t>(bytes);
  if (value > uint64_t{std::numeric_limits<int64_t>::max()}) {
    fail(place, "an integer < 2^63", fmt::format("{}", value));
  }
  return static_cast<int64_t>(value);
}

double float_of(uint32_t type, std::string_view bytes) {
  const bool single = static_cast<GgufType>(type) == GgufType::float32;
  return single ? static_cast<double>(fixed<float>(bytes)) : fixed<double>(bytes);
}

bool boolean_of(std::string_view bytes, std::string_view place) {
  const auto value = fixed<uint8_t>(bytes);
  require(value <= 1, place, "a bool of 0 or 1", value);
  return value == 1;
}

std::string string_of(std::string_view bytes) {
  return std::string(GgufCursor(bytes, "").string(""));
}

json json_of(uint32_t type, std::string_view bytes, std::string_view place) {
  if (is_gguf_integer(type)) return integer_of(type, bytes, place);
  if (is_gguf_float(type)) return float_of(type, bytes);
  if (type == bool_type) return boolean_of(bytes, place);
  if (type == string_type) {
    std::string text = string_of(bytes);
    require_utf8(text, place);
    return text;
  }
  GgufCursor cursor(bytes, "");
  const uint32_t item = cursor.type("");
  const auto count = cursor.number<uint64_t>("");
  json list = json::array();
  for (uint64_t i = 0; i < count; ++i) {
    const size_t begin = cursor.offset();
    cursor.skip(item, "");
    list.push_back(json_of(item, cursor.since(begin), place));
  }
  return list;
}

}  // namespace

/// The items of a list, one after another. The list was checked when the file was opened.
class GgufMetadata::Items {
 public:
  Items(std::string_view bytes) : cursor_(bytes, ""), type_(cursor_.type("")) {
    count_ = cursor_.number<uint64_t>("");
  }
  uint32_t type() const { return type_; }
  /// The value of `read` on each item's bytes.
  template <class T, class Read>
  std::vector<T> all(Read read) {
    std::vector<T> values;
    values.reserve(count_);  // at most the bytes of the file
    for (uint64_t i = 0; i < count_; ++i) {
      const size_t begin = cursor_.offset();
      cursor_.skip(type_, "");
      values.push_back(read(cursor_.since(begin)));
    }
    return values;
  }

 private:
  GgufCursor cursor_;
  uint32_t type_;
  uint64_t count_ = 0;
};

std::string GgufMetadata::place(std::string_view key) const {
  return fmt::format("{}: metadata {}", file_, quote(key));
}

std::vector<std::string> GgufMetadata::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : values_) names.push_back(key);
  return names;
}

GgufMetadata::Value GgufMetadata::find(std::string_view key, std::string_view wanted) const {
  const auto found = values_.find(key);
  if (found == values_.end()) fail(place(key), wanted, "none");
  return found->second;
}

GgufMetadata::Items GgufMetadata::items(std::string_view key, std::string_view wanted,
                                        bool (*fits)(uint32_t)) const {
  const Value value = find(key, wanted);
  if (value.type == list_type) {
    const Items items(value.bytes);
    if (fits(items.type())) return items;
  }
  fail(place(key), wanted, describe(value.type, value.bytes));
}

int64_t GgufMetadata::integer(std::string_view key) const {
  const Value value = find(key, "an integer");
  require(is_gguf_integer(value.type), place(key), "an integer", describe(value.type, value.bytes));
  return integer_of(value.type, value.bytes, place(key));
}

double GgufMetadata::number(std::string_view key) const {
  const Value value = find(key, "a float");
  require(is_gguf_float(value.type), place(key), "a float", describe(value.type, value.bytes));
  return float_of(value.type, value.bytes);
}

bool GgufMetadata::boolean(std::string_view key) const {
  const Value value = find(key, "a bool");
  require(value.type == bool_type, place(key), "a bool", describe(value.type, value.bytes));
  return boolean_of(value.bytes, place(key));
}

std::string GgufMetadata::text(std::string_view key) const {
  const Value value = find(key, "a string");
  require(value.type == string_type, place(key), "a string", describe(value.type, value.bytes));
  return string_of(value.bytes);
}

std::vector<int64_t> GgufMetadata::integers(std::string_view key) const {
  Items list = items(key, "a list of integers", is_gguf_integer);
  const std::string where = place(key);
  return list.all<int64_t>(
      [&](std::string_view bytes) { return integer_of(list.type(), bytes, where); });
}

std::vector<double> GgufMetadata::numbers(std::string_view key) const {
  Items list = items(key, "a list of floats", is_gguf_float);
  return list.all<double>([&](std::string_view bytes) { return float_of(list.type(), bytes); });
}

std::vector<std::string> GgufMetadata::texts(std::string_view key) const {
  return items(key, "a list of strings", is_string).all<std::string>(string_of);
}

json GgufMetadata::value(std::string_view key) const {
  const Value value = find(key, "a value");
  return json_of(value.type, value.bytes, place(key));
}

}  // namespace rlhf::io
