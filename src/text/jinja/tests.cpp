// What templates ask with `is`.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "calls.hpp"

namespace rlhf::text::jinja {
namespace {

bool is_whole(const Value& value) {
  return value.is<int64_t>();  // True and False are none here, unlike in Python
}

bool is_iterable(const Value& value) {
  return value.is_undefined() || value.text() != nullptr || value.sequence() != nullptr ||
         value.mapping() != nullptr;
}

using Question = bool (*)(Work&, const Value&);
using Comparison = bool (*)(Work&, const Value&, const Value&);

const std::map<std::string_view, Question>& questions() {
  static const std::map<std::string_view, Question> table{
      {"defined", [](Work&, const Value& v) { return !v.is_undefined(); }},
      {"undefined", [](Work&, const Value& v) { return v.is_undefined(); }},
      {"none", [](Work&, const Value& v) { return v.is<None>(); }},
      {"boolean", [](Work&, const Value& v) { return v.is<bool>(); }},
      {"true", [](Work&, const Value& v) { return v.is<bool>() && *v.get_if<bool>(); }},
      {"false", [](Work&, const Value& v) { return v.is<bool>() && !*v.get_if<bool>(); }},
      {"integer", [](Work&, const Value& v) { return is_whole(v); }},
      {"float", [](Work&, const Value& v) { return v.is<double>(); }},
      {"number", [](Work&, const Value& v) { return v.is_number(); }},
      {"string", [](Work&, const Value& v) { return v.text() != nullptr; }},
      {"mapping", [](Work&, const Value& v) { return v.mapping() != nullptr; }},
      {"sequence", [](Work&, const Value& v) { return is_iterable(v); }},
      {"iterable", [](Work&, const Value& v) { return is_iterable(v); }},
      {"callable", [](Work&, const Value& v) { return v.is<Function>(); }},
      {"odd", [](Work& w, const Value& v) { return whole_number(w, v, "odd") % 2 != 0; }},
      {"even", [](Work& w, const Value& v) { return whole_number(w, v, "even") % 2 == 0; }},
      {"lower",
       [](Work& w, const Value& v) {
         return shown(w, v) == lower(shown(w, v)) && lower(shown(w, v)) != upper(shown(w, v));
       }},
      {"upper",
       [](Work& w, const Value& v) {
         return shown(w, v) == upper(shown(w, v)) && lower(shown(w, v)) != upper(shown(w, v));
       }},
  };
  return table;
}

bool is_same(Work& work, const Value& a, const Value& b) {
  return a.held().index() == b.held().index() && are_equal(work, a, b);
}

const std::map<std::string_view, Comparison>& comparisons() {
  static const auto equal = [](Work& w, const Value& a, const Value& b) {
    return are_equal(w, a, b);
  };
  static const auto unequal = [](Work& w, const Value& a, const Value& b) {
    return !are_equal(w, a, b);
  };
  static const auto below = [](Work& w, const Value& a, const Value& b) {
    return order(w, a, b) < 0;
  };
  static const auto at_most = [](Work& w, const Value& a, const Value& b) {
    return order(w, a, b) <= 0;
  };
  static const auto above = [](Work& w, const Value& a, const Value& b) {
    return order(w, a, b) > 0;
  };
  static const auto at_least = [](Work& w, const Value& a, const Value& b) {
    return order(w, a, b) >= 0;
  };
  static const std::map<std::string_view, Comparison> table{
      {"eq", equal},
      {"equalto", equal},
      {"==", equal},
      {"ne", unequal},
      {"!=", unequal},
      {"lt", below},
      {"lessthan", below},
      {"<", below},
      {"le", at_most},
      {"<=", at_most},
      {"gt", above},
      {"greaterthan", above},
      {">", above},
      {"ge", at_least},
      {">=", at_least},
      {"sameas", is_same},
      {"in", [](Work& w, const Value& a, const Value& b) { return compare(w, "in", a, b); }},
      {"divisibleby",
       [](Work& w, const Value& a, const Value& b) { return !is_true(arithmetic(w, "%", a, b)); }},
  };
  return table;
}

}  // namespace

bool is_test(std::string_view name) {
  return questions().contains(name) || comparisons().contains(name);
}

bool apply_test(Work& work, std::string_view name, const Value& value, const Arguments& arguments) {
  work.charge(1);
  if (const auto question = questions().find(name); question != questions().end()) {
    arguments.bind(work, name, {});
    return question->second(work, value);
  }
  const auto comparison = comparisons().find(name);
  if (comparison == comparisons().end()) {
    work.refuse(fmt::format("the test '{}' is none that this program knows", name));
  }
  const auto bound = arguments.bind(work, name, {"other"});
  if (!bound[0]) work.refuse(fmt::format("the test '{}' needs an argument", name));
  return comparison->second(work, value, *bound[0]);
}

}  // namespace rlhf::text::jinja
