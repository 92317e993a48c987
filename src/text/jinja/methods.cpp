// Attributes, and the methods of Python's dict and list that change nothing.
#include <fmt/format.h>

#include <algorithm>

#include "calls.hpp"

namespace rlhf::text::jinja {
namespace {

Value mapping_method(Work& work, const Mapping& mapping, std::string_view name,
                     const Arguments& arguments) {
  work.charge(1 + mapping.entries.size());
  if (name == "get") {
    const auto bound = arguments.bind(work, name, {"key", "default"});
    const std::string* key = bound[0] ? bound[0]->text() : nullptr;
    const Value* found = key == nullptr ? nullptr : mapping.find(*key);
    return found != nullptr ? *found : bound[1].value_or(Value(None{}));
  }
  arguments.bind(work, name, {});
  List parts;
  for (const auto& [key, value] : mapping.entries) {
    if (name == "keys") {
      parts.push_back(text_value(work, key));
    } else if (name == "values") {
      parts.push_back(value);
    } else if (name == "items") {
      parts.push_back(list_value(work, {text_value(work, key), value}, true));
    }
  }
  if (name == "keys" || name == "values" || name == "items") {
    return list_value(work, std::move(parts));
  }
  if (name == "copy") return mapping_value(work, mapping.entries);
  work.refuse(fmt::format("a dict has no method '{}' that this program knows", name));
}

Value list_method(Work& work, const Sequence& sequence, std::string_view name,
                  const Arguments& arguments) {
  const auto bound = arguments.bind(work, name, {"value"});
  if ((name != "index" && name != "count") || !bound[0]) {
    work.refuse(fmt::format("a list has no method '{}' that changes nothing", name));
  }
  int64_t count = 0;
  for (size_t i = 0; i < sequence.items.size(); ++i) {
    if (!are_equal(work, sequence.items[i], *bound[0])) continue;
    if (name == "index") return Value(static_cast<int64_t>(i));
    ++count;
  }
  if (name == "index") work.refuse("index: the list has no such item");
  return Value(count);
}

Value loop_method(Work& work, Loop& loop, std::string_view name, const Arguments& arguments) {
  const List& given = arguments.positional;
  if (name == "cycle" && !given.empty()) return given[loop.index % given.size()];
  if (name != "changed") work.refuse(fmt::format("loop has no method '{}'", name));
  const bool same =
      loop.changed && loop.changed->size() == given.size() &&
      std::equal(given.begin(), given.end(), loop.changed->begin(),
                 [&](const Value& a, const Value& b) { return are_equal(work, a, b); });
  loop.changed = given;
  return Value(!same);
}

Value loop_attribute(const Loop& loop, std::string_view name) {
  const auto index = static_cast<int64_t>(loop.index);
  const auto length = static_cast<int64_t>(loop.items.size());
  if (name == "index") return Value(index + 1);
  if (name == "index0") return Value(index);
  if (name == "revindex") return Value(length - index);
  if (name == "revindex0") return Value(length - index - 1);
  if (name == "first") return Value(index == 0);
  if (name == "last") return Value(index + 1 == length);
  if (name == "length") return Value(length);
  if (name == "depth") return Value(int64_t{1});  // no for is recursive
  if (name == "depth0") return Value(int64_t{0});
  if (name == "previtem" && index > 0) return loop.items[loop.index - 1];
  if (name == "nextitem" && index + 1 < length) return loop.items[loop.index + 1];
  return Value(Undefined{"loop." + std::string(name)});
}

}  // namespace

std::vector<std::optional<Value>> Arguments::bind(
    const Work& work, std::string_view function,
    std::initializer_list<std::string_view> names) const {
  if (positional.size() > names.size()) {
    work.refuse(
        fmt::format("{}: {} arguments, at most {}", function, positional.size(), names.size()));
  }
  std::vector<std::optional<Value>> bound(positional.begin(), positional.end());
  bound.resize(names.size());
  for (const auto& [name, value] : named) {
    const auto* const place = std::find(names.begin(), names.end(), name);
    if (place == names.end()) {
      work.refuse(fmt::format("{}: no argument is called '{}'", function, name));
    }
    bound[static_cast<size_t>(place - names.begin())] = value;
  }
  return bound;
}

Value attribute_of(Work& work, const Value& value, std::string_view name) {
  work.charge(1);
  if (const Undefined* missing = value.get_if<Undefined>()) {
    work.refuse(fmt::format("'{}' is undefined", missing->name));
  }
  if (const Mapping* mapping = value.mapping()) {
    work.charge(1 + mapping->entries.size() / 8);
    if (const Value* item = mapping->find(name)) return *item;
  }
  if (const auto* names = value.get_if<std::shared_ptr<Namespace>>()) {
    const auto place = (*names)->values.find(name);
    if (place != (*names)->values.end()) return place->second;
  }
  if (const auto* loop = value.get_if<std::shared_ptr<Loop>>()) return loop_attribute(**loop, name);
  return Value(Undefined{std::string(name)});
}

Value call_method(Work& work, const Value& value, std::string_view name,
                  const Arguments& arguments) {
  if (const std::string* text = value.text()) return call_text_method(work, *text, name, arguments);
  if (const Mapping* mapping = value.mapping()) {
    return mapping_method(work, *mapping, name, arguments);
  }
  if (const Sequence* sequence = value.sequence()) {
    return list_method(work, *sequence, name, arguments);
  }
  if (const auto* loop = value.get_if<std::shared_ptr<Loop>>()) {
    return loop_method(work, **loop, name, arguments);
  }
  const Undefined* missing = value.get_if<Undefined>();
  if (missing != nullptr) work.refuse(fmt::format("'{}' is undefined", missing->name));
  work.refuse(fmt::format("{} has no method '{}'", type_name(value), name));
}

}  // namespace rlhf::text::jinja
