// The methods of Python's str, and what filters share with them.
#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "../characters.hpp"
#include "calls.hpp"
#include "lexer.hpp"

namespace rlhf::text::jinja {
namespace {

template <class Change>
std::string each_character(std::string_view text, Change&& change) {
  std::string changed;
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    text.remove_prefix(character.size());
    std::array<utf8proc_uint8_t, 4> bytes = {};
    const auto size = utf8proc_encode_char(
        change(static_cast<utf8proc_int32_t>(code_point(character))), bytes.data());
    changed.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
  }
  return changed;
}

/// Each word with a capital first letter, as str.title() has it.
std::string titled(std::string_view text) {
  bool in_word = false;
  return each_character(text, [&](utf8proc_int32_t point) {
    const utf8proc_int32_t up = utf8proc_totitle(point), down = utf8proc_tolower(point);
    const bool cased = up != point || down != point;
    const utf8proc_int32_t changed = in_word ? down : up;
    in_word = cased;
    return changed;
  });
}

bool contains_character(const std::string& characters, std::string_view one) {
  return characters.find(one) != characters.npos;
}

/// str.split(): at white space where there is no separator, which then makes no empty parts.
List split(Work& work, std::string_view text, const std::string* separator, int64_t most,
           bool from_right) {
  std::vector<std::string_view> parts;
  const auto count = [&] { return static_cast<int64_t>(parts.size()); };
  const auto next_space = [&](std::string_view rest) {
    size_t at = 0;
    while (at < rest.size() && leading_python_space(rest.substr(at)) == 0) {
      at += first_character(rest.substr(at)).size();
    }
    return at;
  };
  const auto last_space = [&](std::string_view rest) {
    size_t end = rest.size();
    while (end > 0 && trailing_python_space(rest.substr(0, end)) == 0) {
      end -= last_character(rest.substr(0, end)).size();
    }
    return end;
  };
  std::string_view rest = text;
  if (separator != nullptr) {
    if (separator->empty()) work.refuse("split: empty separator");
    while (most < 0 || count() < most) {
      const size_t at = from_right ? rest.rfind(*separator) : rest.find(*separator);
      if (at == rest.npos) break;
      const std::string_view left = rest.substr(0, at), right = rest.substr(at + separator->size());
      parts.push_back(from_right ? right : left);
      rest = from_right ? left : right;
    }
    parts.push_back(rest);
  } else {
    const auto trim = [&] { rest = stripped(rest, nullptr, !from_right, from_right); };
    for (trim(); !rest.empty() && (most < 0 || count() < most); trim()) {
      const size_t cut = from_right ? last_space(rest) : next_space(rest);
      parts.push_back(from_right ? rest.substr(cut) : rest.substr(0, cut));
      rest = from_right ? rest.substr(0, cut) : rest.substr(cut);
    }
    if (!rest.empty()) parts.push_back(rest);
  }
  if (from_right) std::reverse(parts.begin(), parts.end());
  List list;
  for (std::string_view part : parts) list.push_back(text_value(work, std::string(part)));
  return list;
}

/// A text, or a tuple of texts any of which will do.
bool starts_or_ends(Work& work, const std::string& text, const Value& with, bool starts) {
  if (const Sequence* sequence = with.sequence()) {
    return std::any_of(sequence->items.begin(), sequence->items.end(),
                       [&](const Value& item) { return starts_or_ends(work, text, item, starts); });
  }
  const std::string& part = require_text(work, with, starts ? "startswith" : "endswith");
  return starts ? text.starts_with(part) : text.ends_with(part);
}

int64_t characters_before(std::string_view text, size_t at) {
  return std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at),
                       [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
}

int64_t occurrences(Work& work, const std::string& text, const std::string& part) {
  if (part.empty()) return characters_before(text, text.size()) + 1;
  int64_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) {
    work.charge(1);
    ++count;
  }
  return count;
}

/// What is<name>() asks of every character of a text that has one.
bool is_all(std::string_view text, std::string_view name) {
  if (text.empty()) return false;
  for (; !text.empty(); text.remove_prefix(first_character(text).size())) {
    const char32_t point = code_point(first_character(text));
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(point));
    const bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    const bool digit = category == UTF8PROC_CATEGORY_ND;
    const bool number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
    const bool holds = name == "isspace"   ? is_python_space(point)
                       : name == "isdigit" ? digit
                       : name == "isalpha" ? letter
                                           : letter || number;
    if (!holds) return false;
  }
  return true;
}

}  // namespace

Value call_text_method(Work& work, const std::string& text, std::string_view name,
                       const Arguments& arguments) {
  work.charge_text(text.size());
  const auto bind = [&](std::initializer_list<std::string_view> names) {
    return arguments.bind(work, name, names);
  };
  const auto required = [&](const std::optional<Value>& value) -> const Value& {
    if (!value) work.refuse(fmt::format("{}: an argument is missing", name));
    return *value;
  };
  const auto optional_text = [&](const std::optional<Value>& value) -> const std::string* {
    return value && !value->is<None>() ? &require_text(work, *value, name) : nullptr;
  };
  const auto made = [&](std::string result) { return text_value(work, std::move(result)); };
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    const auto bound = bind({"chars"});
    return made(
        std::string(stripped(text, optional_text(bound[0]), name != "rstrip", name != "lstrip")));
  }
  if (name == "split" || name == "rsplit") {
    const auto bound = bind({"sep", "maxsplit"});
    const int64_t most = bound[1] ? whole_number(work, *bound[1], "maxsplit") : -1;
    return list_value(work, split(work, text, optional_text(bound[0]), most, name == "rsplit"));
  }
  if (name == "startswith" || name == "endswith") {
    return Value(starts_or_ends(work, text, required(bind({"prefix"})[0]), name == "startswith"));
  }
  if (name == "replace") {
    const auto bound = bind({"old", "new", "count"});
    return made(replaced(work, text, require_text(work, required(bound[0]), "replace"),
                         require_text(work, required(bound[1]), "replace"),
                         bound[2] ? whole_number(work, *bound[2], "count") : -1));
  }
  if (name == "find" || name == "rfind") {
    const auto bound = bind({"sub"});
    const std::string& part = require_text(work, required(bound[0]), name);
    const size_t at = name == "find" ? text.find(part) : text.rfind(part);
    return Value(at == text.npos ? int64_t{-1} : characters_before(text, at));
  }
  if (name == "count") {
    return Value(occurrences(work, text, require_text(work, required(bind({"sub"})[0]), name)));
  }
  if (name == "join") {
    std::string all;
    bool first = true;
    for (const Value& part : parts_of_value(work, required(bind({"iterable"})[0]))) {
      if (!std::exchange(first, false)) all += text;
      all += require_text(work, part, "join");
      work.require_output(all.size());
    }
    return made(std::move(all));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    const std::string& part = require_text(work, required(bind({"prefix"})[0]), name);
    const bool front = name == "removeprefix";
    if (!(front ? text.starts_with(part) : text.ends_with(part))) return made(text);
    return made(front ? text.substr(part.size()) : text.substr(0, text.size() - part.size()));
  }
  bind({});
  if (name == "upper") return made(upper(text));
  if (name == "lower") return made(lower(text));
  if (name == "title") return made(titled(text));
  if (name == "capitalize") return made(capitalized(text));
  if (name == "isdigit" || name == "isalpha" || name == "isalnum" || name == "isspace") {
    return Value(is_all(text, name));
  }
  work.refuse(fmt::format("text has no method '{}' that this program knows", name));
}

std::string capitalized(std::string_view text) {
  bool first = true;
  return each_character(text, [&](utf8proc_int32_t point) {
    return std::exchange(first, false) ? utf8proc_totitle(point) : utf8proc_tolower(point);
  });
}

std::string upper(std::string_view text) {
  return each_character(text, [](utf8proc_int32_t point) { return utf8proc_toupper(point); });
}

std::string lower(std::string_view text) {
  return each_character(text, [](utf8proc_int32_t point) { return utf8proc_tolower(point); });
}

std::string_view stripped(std::string_view text, const std::string* characters, bool left,
                          bool right) {
  if (characters == nullptr) {
    if (left) text.remove_prefix(leading_python_space(text));
    if (right) text.remove_suffix(trailing_python_space(text));
    return text;
  }
  while (left && !text.empty() && contains_character(*characters, first_character(text))) {
    text.remove_prefix(first_character(text).size());
  }
  while (right && !text.empty() && contains_character(*characters, last_character(text))) {
    text.remove_suffix(last_character(text).size());
  }
  return text;
}

std::string replaced(Work& work, std::string_view text, std::string_view old,
                     std::string_view replacement, int64_t count) {
  std::string result;
  const auto put = [&](std::string_view part) {
    work.charge_text(part.size());
    result += part;
    work.require_output(result.size());
  };
  if (old.empty()) {  // between all characters, and at both ends
    for (int64_t i = 0; count < 0 || i < count; ++i) {
      put(replacement);
      if (text.empty()) return result;
      put(first_character(text));
      text.remove_prefix(first_character(text).size());
    }
    put(text);
    return result;
  }
  for (int64_t i = 0; count < 0 || i < count; ++i) {
    const size_t at = text.find(old);
    if (at == text.npos) break;
    put(text.substr(0, at));
    put(replacement);
    text.remove_prefix(at + old.size());
  }
  put(text);
  return result;
}

}  // namespace rlhf::text::jinja
