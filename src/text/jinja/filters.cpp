// Filters of one value: text and numbers.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "../characters.hpp"
#include "filters.hpp"
#include "lexer.hpp"

namespace rlhf::text::jinja {
namespace {

using Filter = Value (*)(Work&, const Value&, const Arguments&);

Value made(Work& work, std::string text) {
  return text_value(work, std::move(text));
}

Value otherwise(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "default", {"default_value", "boolean"});
  const bool any_false = bound[1] && is_true(*bound[1]);
  if (!value.is_undefined() && !(any_false && !is_true(value))) return value;
  return bound[0] ? *bound[0] : made(work, "");
}

Value trim(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "trim", {"chars"});
  const std::string text = shown(work, value);
  const bool given = bound[0] && !bound[0]->is<None>();
  const std::string* characters = given ? &require_text(work, *bound[0], "trim") : nullptr;
  return made(work, std::string(stripped(text, characters, true, true)));
}

Value json(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound =
      arguments.bind(work, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = bound[0] && is_true(*bound[0]);
  style.sort_keys = bound[3] && is_true(*bound[3]);
  if (bound[1] && !bound[1]->is<None>()) {
    style.item_separator = ",";
    if (const std::string* text = bound[1]->text()) {
      style.indent = *text;
    } else {
      const int64_t width = whole_number(work, *bound[1], "tojson: indent");
      style.indent = std::string(static_cast<size_t>(std::clamp<int64_t>(width, 0, 1000)), ' ');
    }
  }
  if (bound[2] && !bound[2]->is<None>()) {
    const List pair = parts_of_value(work, *bound[2]);
    if (pair.size() != 2) work.refuse("tojson: separators are two texts");
    style.item_separator = require_text(work, pair[0], "tojson: separators");
    style.key_separator = require_text(work, pair[1], "tojson: separators");
  }
  return made(work, to_json(work, value, style));
}

Value count(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "length", {});
  if (value.is_undefined()) return Value(int64_t{0});
  if (const Sequence* sequence = value.sequence()) {
    return Value(static_cast<int64_t>(sequence->items.size()));
  }
  if (const Mapping* mapping = value.mapping()) {
    return Value(static_cast<int64_t>(mapping->entries.size()));
  }
  const std::string& text = require_text(work, value, "length");
  work.charge_text(text.size());
  return Value(static_cast<int64_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; })));
}

/// Each word with a capital first letter; words part at white space, hyphens and open brackets.
Value title(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "title", {});
  const std::string text = shown(work, value);
  std::string result;
  bool starts = true;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view character = first_character(rest);
    rest.remove_prefix(character.size());
    const bool parts = is_python_space(code_point(character)) ||
                       std::string_view("-({[<").find(character) != std::string_view::npos;
    result += starts ? upper(character) : lower(character);
    starts = parts;
  }
  return made(work, std::move(result));
}

Value replace(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "replace", {"old", "new", "count"});
  if (!bound[0] || !bound[1]) work.refuse("replace: what and by what?");
  const bool counted = bound[2] && !bound[2]->is<None>();
  return made(work,
              replaced(work, shown(work, value), shown(work, *bound[0]), shown(work, *bound[1]),
                       counted ? whole_number(work, *bound[2], "replace: count") : -1));
}

/// Lines but the first, and empty ones unless told, moved to the right.
Value indent(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "indent", {"width", "first", "blank"});
  std::string margin(4, ' ');
  if (bound[0] && bound[0]->text() != nullptr) {
    margin = *bound[0]->text();
  } else if (bound[0]) {
    const int64_t width = whole_number(work, *bound[0], "indent: width");
    margin.assign(static_cast<size_t>(std::clamp<int64_t>(width, 0, 1000)), ' ');
  }
  const bool first = bound[1] && is_true(*bound[1]), blank = bound[2] && is_true(*bound[2]);
  const std::string text = shown(work, value);
  std::string result;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (start == 0 ? first : (blank || end > start)) result += margin;
    result.append(text, start, end - start);
    if (end < text.size()) result += '\n';
    work.charge_text(margin.size());
    work.require_output(result.size());
    start = end + 1;
  }
  return made(work, std::move(result));
}

/// A number that a text spells as a whole.
template <class T>
std::optional<T> parsed(std::string_view text) {
  text = stripped(text, nullptr, true, true);
  if (text.starts_with('+')) text.remove_prefix(1);
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional(number) : std::nullopt;
}

Value to_whole(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "int", {"default", "base"});
  if (bound[1]) work.refuse("int: numbers to base 10 only");
  const Value fallback = bound[0].value_or(Value(int64_t{0}));
  std::optional<double> real;
  if (const std::string* text = value.text()) {
    if (const auto whole = parsed<int64_t>(*text)) return Value(*whole);
    real = parsed<double>(*text);
  } else if (value.is<int64_t>() || value.is<bool>()) {
    return Value(whole_number(work, value, "int"));
  } else if (value.is<double>()) {
    real = *value.get_if<double>();
  }
  if (!real || !(std::abs(*real) < 9e18)) return fallback;
  return Value(static_cast<int64_t>(*real));
}

Value to_real(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "float", {"default"});
  if (value.is_number()) return Value(number(work, value));
  const std::string* text = value.text();
  const auto real = text == nullptr ? std::nullopt : parsed<double>(*text);
  return real ? Value(*real) : bound[0].value_or(Value(0.0));
}

Value absolute(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "abs", {});
  if (value.is<double>()) return Value(std::abs(*value.get_if<double>()));
  const int64_t whole = whole_number(work, value, "abs");
  return whole < 0 ? arithmetic(work, "-", Value(int64_t{0}), value) : Value(whole);
}

/// A filter of a text that takes no arguments.
template <std::string (*change)(std::string_view)>
Value changed(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "this filter", {});
  return made(work, change(shown(work, value)));
}

Value as_text(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "string", {});
  return made(work, shown(work, value));
}

const std::map<std::string_view, Filter>& filters() {
  static const std::map<std::string_view, Filter> table{
      {"default", otherwise},
      {"d", otherwise},
      {"trim", trim},
      {"tojson", json},
      {"length", count},
      {"count", count},
      {"upper", changed<upper>},
      {"lower", changed<lower>},
      {"capitalize", changed<capitalized>},
      {"title", title},
      {"replace", replace},
      {"indent", indent},
      {"int", to_whole},
      {"float", to_real},
      {"abs", absolute},
      {"string", as_text},
      {"safe", as_text},
      {"first", first_of},
      {"last", last_of},
      {"join", joined_text},
      {"list", as_list},
      {"items", items_of},
      {"reverse", reversed},
      {"unique", unique},
      {"sort", sorted},
      {"dictsort", sorted_mapping},
      {"sum", sum_of},
      {"min", least},
      {"max", greatest},
      {"map", mapped},
      {"select", selected},
      {"reject", rejected},
      {"selectattr", selected_by_attribute},
      {"rejectattr", rejected_by_attribute},
  };
  return table;
}

}  // namespace

Value apply_filter(Work& work, std::string_view name, const Value& value,
                   const Arguments& arguments) {
  work.charge(1);
  const auto place = filters().find(name);
  if (place == filters().end()) {
    std::string known;
    for (const auto& [each, filter] : filters()) known += fmt::format(" {}", each);
    work.refuse(fmt::format("the filter '{}' is none that this program knows:{}", name, known));
  }
  return place->second(work, value, arguments);
}

}  // namespace rlhf::text::jinja
