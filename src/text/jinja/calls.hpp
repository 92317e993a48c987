/// What templates can call: filters, tests, methods and functions of Python and Jinja.
#pragma once

#include <chrono>
#include <optional>

#include "value.hpp"

namespace rlhf::text::jinja {

struct Arguments {
  List positional = {};
  std::vector<std::pair<std::string, Value>> named = {};

  /// The arguments in the order of these names; absent ones are nothing.
  /// @throws Error if there are more, or one has another name
  std::vector<std::optional<Value>> bind(const Work& work, std::string_view function,
                                         std::initializer_list<std::string_view> names) const;
};

/// value | name(arguments). @throws Error if there is no such filter, or as that does
Value apply_filter(Work& work, std::string_view name, const Value& value,
                   const Arguments& arguments);
/// value is name(arguments)
bool apply_test(Work& work, std::string_view name, const Value& value, const Arguments& arguments);
/// Whether apply_test knows the name.
bool is_test(std::string_view name);
/// value.name(arguments)
Value call_method(Work& work, const Value& value, std::string_view name,
                  const Arguments& arguments);

/// name(arguments), for range, dict, namespace, raise_exception and, where there is a time,
/// strftime_now.
Value call_function(Work& work, std::string_view name, const Arguments& given,
                    std::optional<std::chrono::sys_seconds> now);

using Entries = std::vector<std::pair<std::string, Value>>;
/// The later of two entries with one key counts, in the place of the earlier.
void put_entry(Work& work, Entries& entries, const std::string& key, Value value);

/// value.name and value[key]; undefined where there is no such thing.
/// @throws Error if value is undefined
Value attribute_of(Work& work, const Value& value, std::string_view name);
Value item_of(Work& work, const Value& value, const Value& key);
Value slice_of(Work& work, const Value& value, const Value& start, const Value& stop,
               const Value& step);

/// a + b and so on: + - * / // % **
Value arithmetic(Work& work, std::string_view symbol, const Value& a, const Value& b);
/// ==, !=, <, <=, >, >=, in, not in
bool compare(Work& work, std::string_view symbol, const Value& a, const Value& b);
/// Below 0, 0 or above, as a is less than, equal to or greater than b.
/// @throws Error if Python does not order them
int order(Work& work, const Value& a, const Value& b);

/// The method of a text, for call_method.
Value call_text_method(Work& work, const std::string& text, std::string_view name,
                       const Arguments& arguments);

/// Upper or lower case, by Unicode's one-to-one mapping ("ß" stays).
std::string upper(std::string_view text);
std::string lower(std::string_view text);
/// str.capitalize().
std::string capitalized(std::string_view text);
/// str.strip(characters); white space where none are given.
std::string_view stripped(std::string_view text, const std::string* characters, bool left,
                          bool right);
/// str.replace(old, replacement, count); all where count is negative.
std::string replaced(Work& work, std::string_view text, std::string_view old,
                     std::string_view replacement, int64_t count);

}  // namespace rlhf::text::jinja
