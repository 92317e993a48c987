#include "json_field.hpp"

#include <fmt/format.h>

#include <limits>

#include "rlhf/core/error.hpp"

namespace rlhf::text {

using nlohmann::json;

namespace {

constexpr size_t longest_shown = 60;

/// A value short enough for a message; of an object with a type, the type.
std::string shown(const json& value) {
  if (value.is_object() && value.contains("type")) return "type " + value["type"].dump();
  if (value.is_structured()) return value.type_name();
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= longest_shown ? text : text.substr(0, longest_shown) + "...";
}

}  // namespace

void JsonField::refuse(std::string_view expected) const {
  fail(where(), expected, shown(*value_));
}

void JsonField::require_type(json::value_t type) const {
  if (value_->type() != type) refuse(json(type).type_name());
}

std::optional<JsonField> JsonField::find(const std::string& key) const {
  require_type(json::value_t::object);
  const auto place = value_->find(key);
  if (place == value_->end() || place->is_null()) return std::nullopt;
  return JsonField(*place, path_, name_.empty() ? key : name_ + "." + key);
}

JsonField JsonField::at(const std::string& key) const {
  auto member = find(key);
  if (!member) fail(where(), fmt::format("a member \"{}\"", key), "none");
  return *std::move(member);
}

JsonField JsonField::at(size_t index) const {
  require(index < size(), where(), fmt::format("more than {} elements", index), size());
  return JsonField((*value_)[index], path_, fmt::format("{}[{}]", name_, index));
}

size_t JsonField::size() const {
  require_type(json::value_t::array);
  return value_->size();
}

const std::string& JsonField::string() const {
  require_type(json::value_t::string);
  return value_->get_ref<const std::string&>();
}

bool JsonField::boolean() const {
  require_type(json::value_t::boolean);
  return value_->get<bool>();
}

int64_t JsonField::id() const {
  constexpr auto most = std::numeric_limits<int32_t>::max();
  const bool fits = value_->is_number_unsigned() && value_->get<uint64_t>() <= most;
  if (!fits) refuse(fmt::format("a whole number >= 0 and <= {}", most));
  return value_->get<int64_t>();
}

bool JsonField::flag(const std::string& key, bool otherwise) const {
  const auto member = find(key);
  return member ? member->boolean() : otherwise;
}

}  // namespace rlhf::text
