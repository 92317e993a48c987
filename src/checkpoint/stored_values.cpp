#include "stored_values.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "rlhf/core/error.hpp"

namespace rlhf::checkpoint {
namespace {

using nlohmann::json;

template <class T>
struct Spelling;

template <>
struct Spelling<bool> {
  static constexpr const char* name = "true or false";
  static json of(bool value) { return value; }
  static std::optional<bool> read(const json& stored) {
    if (!stored.is_boolean()) return std::nullopt;
    return stored.get<bool>();
  }
};

template <>
struct Spelling<int64_t> {
  static constexpr const char* name = "an integer";
  static json of(int64_t value) { return value; }
  static std::optional<int64_t> read(const json& stored) {
    if (stored.is_number_unsigned() &&
        stored.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return std::nullopt;
    }
    if (!stored.is_number_integer()) return std::nullopt;
    return stored.get<int64_t>();
  }
};

template <>
struct Spelling<uint64_t> {
  static constexpr const char* name = "an integer >= 0";
  static json of(uint64_t value) { return value; }
  static std::optional<uint64_t> read(const json& stored) {
    if (!stored.is_number_unsigned()) return std::nullopt;
    return stored.get<uint64_t>();
  }
};

template <>
struct Spelling<double> {
  static constexpr const char* name = "a number";
  static json of(double value) {
    if (std::isfinite(value)) return value;
    if (std::isnan(value)) return "NaN";
    return value > 0 ? "Infinity" : "-Infinity";
  }
  static std::optional<double> read(const json& stored) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (stored.is_number()) return stored.get<double>();
    if (stored == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (stored == "Infinity") return infinity;
    if (stored == "-Infinity") return -infinity;
    return std::nullopt;
  }
};

template <>
struct Spelling<std::string> {
  static constexpr const char* name = "text";
  static json of(const std::string& value) { return value; }
  static std::optional<std::string> read(const json& stored) {
    if (!stored.is_string()) return std::nullopt;
    return stored.get<std::string>();
  }
};

template <class T>
struct Spelling<std::vector<T>> {
  static constexpr const char* name = "a list";
  static json of(const std::vector<T>& values) {
    json list = json::array();
    for (const T& value : values) list.push_back(Spelling<T>::of(value));
    return list;
  }
  static std::optional<std::vector<T>> read(const json& stored) {
    if (!stored.is_array()) return std::nullopt;
    std::vector<T> values;
    for (const json& item : stored) {
      const std::optional<T> value = Spelling<T>::read(item);
      if (!value) return std::nullopt;
      values.push_back(*value);
    }
    return values;
  }
};

}  // namespace

json to_json(const Archive::Value& value) {
  return std::visit([]<class T>(const T& held) { return Spelling<T>::of(held); }, value);
}

json to_json(const std::map<std::string, Archive::Value>& values) {
  json object = json::object();
  for (const auto& [name, value] : values) object[name] = to_json(value);
  return object;
}

Archive::Value value_from(const json& stored, const Archive::Value& like, const std::string& path) {
  return std::visit(
      [&]<class T>(const T&) -> Archive::Value {
        const std::optional<T> value = Spelling<T>::read(stored);
        require(value.has_value(), fmt::format("checkpoint: {}", path), Spelling<T>::name,
                stored.is_null() ? "none" : stored.dump().substr(0, 80));
        return Archive::Value(std::in_place_type<T>, *value);
      },
      like);
}

}  // namespace rlhf::checkpoint
