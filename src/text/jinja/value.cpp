#include "value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "../characters.hpp"

namespace rlhf::text::jinja {
namespace {

int depth_of(const Value& value) {
  if (const Sequence* sequence = value.sequence()) return sequence->depth;
  if (const Mapping* mapping = value.mapping()) return mapping->depth;
  return 0;
}

/// The depth of a container of these. A namespace within could come to hold itself.
int depth_around(const Work& work, const Value& inner, int depth) {
  if (inner.is<std::shared_ptr<Namespace>>() || inner.is<std::shared_ptr<Loop>>()) {
    work.refuse("a namespace or loop can be in no list, mapping or namespace");
  }
  const int around = std::max(depth, 1 + depth_of(inner));
  if (around > deepest_value) work.refuse("lists and mappings nested too deep");
  return around;
}

bool are_equal_lists(Work& work, const List& a, const List& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](const Value& x, const Value& y) { return are_equal(work, x, y); });
}

}  // namespace

const std::string* Value::text() const {
  const Text* text = get_if<Text>();
  return text == nullptr ? nullptr : text->get();
}

const Sequence* Value::sequence() const {
  const auto* sequence = get_if<std::shared_ptr<const Sequence>>();
  return sequence == nullptr ? nullptr : sequence->get();
}

const Mapping* Value::mapping() const {
  const auto* mapping = get_if<std::shared_ptr<const Mapping>>();
  return mapping == nullptr ? nullptr : mapping->get();
}

const Value* Mapping::find(std::string_view key) const {
  const auto place = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  return place == entries.end() ? nullptr : &place->second;
}

Value text_value(Work& work, std::string text) {
  work.charge_text(text.size());
  work.require_output(text.size());
  return Value(Value::Text(std::make_shared<const std::string>(std::move(text))));
}

Value list_value(Work& work, List items, bool is_tuple) {
  work.charge(1 + items.size());
  int depth = 1;
  for (const Value& item : items) depth = depth_around(work, item, depth);
  return Value(std::make_shared<const Sequence>(Sequence{std::move(items), is_tuple, depth}));
}

Value mapping_value(Work& work, std::vector<std::pair<std::string, Value>> entries) {
  work.charge(1 + entries.size());
  int depth = 1;
  for (const auto& [key, item] : entries) depth = depth_around(work, item, depth);
  return Value(std::make_shared<const Mapping>(Mapping{std::move(entries), depth}));
}

Value from_json(Work& work, const nlohmann::ordered_json& json) {
  const Deeper level(work);
  switch (json.type()) {
    case nlohmann::json::value_t::boolean:
      return Value(json.get<bool>());
    case nlohmann::json::value_t::number_unsigned:
      if (json.get<uint64_t>() > INT64_MAX) return Value(json.get<double>());
      [[fallthrough]];
    case nlohmann::json::value_t::number_integer:
      return Value(json.get<int64_t>());
    case nlohmann::json::value_t::number_float:
      return Value(json.get<double>());
    case nlohmann::json::value_t::string:
      return text_value(work, json.get<std::string>());
    case nlohmann::json::value_t::array: {
      List items;
      for (const auto& item : json) items.push_back(from_json(work, item));
      return list_value(work, std::move(items));
    }
    case nlohmann::json::value_t::object: {
      std::vector<std::pair<std::string, Value>> entries;
      for (const auto& [key, item] : json.items()) entries.emplace_back(key, from_json(work, item));
      return mapping_value(work, std::move(entries));
    }
    default:
      return Value(None{});
  }
}

bool is_true(const Value& value) {
  if (value.is_undefined() || value.is<None>()) return false;
  if (const bool* boolean = value.get_if<bool>()) return *boolean;
  if (const int64_t* whole = value.get_if<int64_t>()) return *whole != 0;
  if (const double* real = value.get_if<double>()) return *real != 0;
  if (const std::string* text = value.text()) return !text->empty();
  if (const Sequence* sequence = value.sequence()) return !sequence->items.empty();
  if (const Mapping* mapping = value.mapping()) return !mapping->entries.empty();
  return true;
}

bool are_equal(Work& work, const Value& a, const Value& b) {
  work.charge(1);
  if (a.is_number() && b.is_number()) {
    const auto* x = a.get_if<int64_t>();
    const auto* y = b.get_if<int64_t>();
    return x != nullptr && y != nullptr ? *x == *y : number(work, a) == number(work, b);
  }
  if (a.held().index() != b.held().index()) return false;
  if (a.is_undefined() || a.is<None>()) return true;
  if (const std::string* text = a.text()) {
    work.charge_text(text->size());
    return *text == *b.text();
  }
  if (const Sequence* sequence = a.sequence()) {
    return sequence->is_tuple == b.sequence()->is_tuple &&
           are_equal_lists(work, sequence->items, b.sequence()->items);
  }
  if (const Mapping* mapping = a.mapping()) {
    const auto& others = *b.mapping();
    if (mapping->entries.size() != others.entries.size()) return false;
    return std::all_of(mapping->entries.begin(), mapping->entries.end(), [&](const auto& entry) {
      work.charge(1 + others.entries.size() / 8);
      const Value* other = others.find(entry.first);
      return other != nullptr && are_equal(work, entry.second, *other);
    });
  }
  if (const auto* names = a.get_if<std::shared_ptr<Namespace>>()) {
    return *names == *b.get_if<std::shared_ptr<Namespace>>();
  }
  if (const Function* function = a.get_if<Function>()) {
    const Function* other = b.get_if<Function>();
    return function->name == other->name && function->macro == other->macro;
  }
  return false;
}

std::string_view type_name(const Value& value) {
  if (const Sequence* sequence = value.sequence()) return sequence->is_tuple ? "tuple" : "list";
  constexpr std::string_view names[] = {"undefined", "NoneType", "bool",    "int",
                                        "float",     "str",      "list",    "dict",
                                        "namespace", "loop",     "function"};
  return names[value.held().index()];
}

double number(const Work& work, const Value& value) {
  if (const int64_t* whole = value.get_if<int64_t>()) return static_cast<double>(*whole);
  if (const double* real = value.get_if<double>()) return *real;
  if (const bool* boolean = value.get_if<bool>()) return *boolean ? 1 : 0;
  work.refuse(fmt::format("expected a number, got {}", type_name(value)));
}

int64_t whole_number(const Work& work, const Value& value, std::string_view what) {
  if (const int64_t* whole = value.get_if<int64_t>()) return *whole;
  if (const bool* boolean = value.get_if<bool>()) return *boolean ? 1 : 0;
  work.refuse(fmt::format("{}: expected a whole number, got {}", what, type_name(value)));
}

const std::string& require_text(const Work& work, const Value& value, std::string_view what) {
  if (const std::string* text = value.text()) return *text;
  work.refuse(fmt::format("{}: expected text, got {}", what, type_name(value)));
}

List parts_of_value(Work& work, const Value& value) {
  List parts;
  if (value.is_undefined()) return parts;
  if (const Sequence* sequence = value.sequence()) {
    parts = sequence->items;
  } else if (const Mapping* mapping = value.mapping()) {
    for (const auto& [key, item] : mapping->entries) parts.push_back(text_value(work, key));
  } else if (const std::string* text = value.text()) {
    for (std::string_view rest = *text; !rest.empty();) {
      const std::string_view character = first_character(rest);
      parts.push_back(text_value(work, std::string(character)));
      rest.remove_prefix(character.size());
    }
  } else {
    work.refuse(fmt::format("{} has no items to go through", type_name(value)));
  }
  work.charge(1 + parts.size());
  return parts;
}

}  // namespace rlhf::text::jinja
