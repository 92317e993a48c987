#include <fmt/format.h>

#include <algorithm>

#include "filters.hpp"

namespace rlhf::text::jinja {
namespace {

/// value.a.b for "a.b"; a whole number is an index.
Value path_of(Work& work, Value value, const Value& path) {
  if (!path.text()) return item_of(work, value, path);
  std::string_view rest = *path.text();
  while (true) {
    const std::string_view name = rest.substr(0, rest.find('.'));
    const bool is_index = !name.empty() && name.find_first_not_of("0123456789") == name.npos;
    value = item_of(work, value,
                    is_index && name.size() < 10 ? Value(int64_t{std::stoll(std::string(name))})
                                                 : text_value(work, std::string(name)));
    if (name.size() == rest.size()) return value;
    rest.remove_prefix(name.size() + 1);
  }
}

/// What a list is sorted by, or told apart by: an attribute, in lower case unless case counts.
Value key_of(Work& work, const Value& value, const std::optional<Value>& attribute,
             const std::optional<Value>& case_sensitive) {
  const bool by_attribute = attribute && !attribute->is<None>();
  Value key = by_attribute ? path_of(work, value, *attribute) : value;
  const bool folds = key.text() != nullptr && !(case_sensitive && is_true(*case_sensitive));
  return folds ? text_value(work, lower(*key.text())) : key;
}

/// The items, by their keys: the same order for equal ones. Comparing may throw, so it is not done
/// within std::sort.
List merge_sorted(Work& work, const std::vector<std::pair<Value, Value>>& keyed, bool descending) {
  std::vector<size_t> places(keyed.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = i;
  for (size_t width = 1; width < places.size(); width *= 2) {
    std::vector<size_t> merged;
    for (size_t start = 0; start < places.size(); start += 2 * width) {
      const size_t middle = std::min(start + width, places.size());
      const size_t end = std::min(start + 2 * width, places.size());
      size_t a = start, b = middle;
      while (a < middle && b < end) {
        const int sign = order(work, keyed[places[b]].first, keyed[places[a]].first);
        merged.push_back(places[(descending ? sign > 0 : sign < 0) ? b++ : a++]);
      }
      while (a < middle) merged.push_back(places[a++]);
      while (b < end) merged.push_back(places[b++]);
    }
    places = std::move(merged);
  }
  List items;
  for (size_t place : places) items.push_back(keyed[place].second);
  return items;
}

Value extreme(Work& work, const Value& value, const Arguments& arguments, int wanted) {
  const auto bound = arguments.bind(work, "min or max", {"case_sensitive", "attribute"});
  std::optional<Value> best;
  for (const Value& item : parts_of_value(work, value)) {
    const auto key = [&](const Value& each) { return key_of(work, each, bound[1], bound[0]); };
    if (!best || order(work, key(item), key(*best)) == wanted) best = item;
  }
  return best.value_or(Value(Undefined{"an item of an empty list"}));
}

/// The arguments of select and its kin: perhaps an attribute, perhaps a test and its arguments.
Value chosen(Work& work, const Value& value, const Arguments& arguments, bool by_attribute,
             bool wanted) {
  Arguments rest = arguments;
  const auto take = [&] {
    Value front = rest.positional.front();
    rest.positional.erase(rest.positional.begin());
    return front;
  };
  if (by_attribute && rest.positional.empty()) work.refuse("selectattr: which attribute?");
  const Value attribute = by_attribute ? take() : Value();
  std::string test;
  if (!rest.positional.empty()) test = require_text(work, take(), "name of a test");
  List kept;
  for (const Value& item : parts_of_value(work, value)) {
    const Value asked = by_attribute ? path_of(work, item, attribute) : item;
    const bool holds = test.empty() ? is_true(asked) : apply_test(work, test, asked, rest);
    if (holds == wanted) kept.push_back(item);
  }
  return list_value(work, std::move(kept));
}

}  // namespace

Value first_of(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "first", {});
  const List parts = parts_of_value(work, value);
  return parts.empty() ? Value(Undefined{"the first item of an empty list"}) : parts.front();
}

Value last_of(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "last", {});
  const List parts = parts_of_value(work, value);
  return parts.empty() ? Value(Undefined{"the last item of an empty list"}) : parts.back();
}

Value joined_text(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "join", {"d", "attribute"});
  const std::string between = bound[0] ? shown(work, *bound[0]) : "";
  std::string all;
  bool first = true;
  for (const Value& item : parts_of_value(work, value)) {
    if (!std::exchange(first, false)) all += between;
    const bool by_attribute = bound[1] && !bound[1]->is<None>();
    all += shown(work, by_attribute ? path_of(work, item, *bound[1]) : item);
    work.charge_text(between.size());
    work.require_output(all.size());
  }
  return text_value(work, std::move(all));
}

Value as_list(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "list", {});
  return list_value(work, parts_of_value(work, value));
}

Value items_of(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "items", {});
  if (value.is_undefined()) return list_value(work, {});
  if (value.mapping() == nullptr) {
    work.refuse(fmt::format("items: expected a dict, got {}", type_name(value)));
  }
  return call_method(work, value, "items", {});
}

Value reversed(Work& work, const Value& value, const Arguments& arguments) {
  arguments.bind(work, "reverse", {});
  List parts = parts_of_value(work, value);
  std::reverse(parts.begin(), parts.end());
  if (value.text() == nullptr) return list_value(work, std::move(parts));
  std::string text;
  for (const Value& part : parts) text += *part.text();
  return text_value(work, std::move(text));
}

Value unique(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "unique", {"case_sensitive", "attribute"});
  List kept, keys;
  for (const Value& item : parts_of_value(work, value)) {
    const Value key = key_of(work, item, bound[1], bound[0]);
    const bool seen = std::any_of(keys.begin(), keys.end(),
                                  [&](const Value& other) { return are_equal(work, key, other); });
    if (seen) continue;
    keys.push_back(key);
    kept.push_back(item);
  }
  return list_value(work, std::move(kept));
}

Value sorted(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "sort", {"reverse", "case_sensitive", "attribute"});
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : parts_of_value(work, value)) {
    keyed.emplace_back(key_of(work, item, bound[2], bound[1]), item);
  }
  return list_value(work, merge_sorted(work, keyed, bound[0] && is_true(*bound[0])));
}

Value sorted_mapping(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "dictsort", {"case_sensitive", "by", "reverse"});
  const bool by_value = bound[1] && shown(work, *bound[1]) == "value";
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& pair : parts_of_value(work, items_of(work, value, {}))) {
    const Value& key = pair.sequence()->items[by_value ? 1 : 0];
    keyed.emplace_back(key_of(work, key, {}, bound[0]), pair);
  }
  return list_value(work, merge_sorted(work, keyed, bound[2] && is_true(*bound[2])));
}

Value sum_of(Work& work, const Value& value, const Arguments& arguments) {
  const auto bound = arguments.bind(work, "sum", {"attribute", "start"});
  Value total = bound[1].value_or(Value(int64_t{0}));
  for (const Value& item : parts_of_value(work, value)) {
    const bool by_attribute = bound[0] && !bound[0]->is<None>();
    total = arithmetic(work, "+", total, by_attribute ? path_of(work, item, *bound[0]) : item);
  }
  return total;
}

Value least(Work& work, const Value& value, const Arguments& arguments) {
  return extreme(work, value, arguments, -1);
}

Value greatest(Work& work, const Value& value, const Arguments& arguments) {
  return extreme(work, value, arguments, 1);
}

Value mapped(Work& work, const Value& value, const Arguments& arguments) {
  List results;
  if (arguments.positional.empty()) {
    const auto bound = arguments.bind(work, "map", {"attribute", "default"});
    if (!bound[0]) work.refuse("map: which filter or attribute?");
    for (const Value& item : parts_of_value(work, value)) {
      const Value part = path_of(work, item, *bound[0]);
      results.push_back(part.is_undefined() && bound[1] ? *bound[1] : part);
    }
    return list_value(work, std::move(results));
  }
  const std::string& filter = require_text(work, arguments.positional.front(), "name of a filter");
  const Arguments rest{.positional = {arguments.positional.begin() + 1, arguments.positional.end()},
                       .named = arguments.named};
  const Deeper level(work);
  for (const Value& item : parts_of_value(work, value)) {
    results.push_back(apply_filter(work, filter, item, rest));
  }
  return list_value(work, std::move(results));
}

Value selected(Work& work, const Value& value, const Arguments& arguments) {
  return chosen(work, value, arguments, false, true);
}
Value rejected(Work& work, const Value& value, const Arguments& arguments) {
  return chosen(work, value, arguments, false, false);
}
Value selected_by_attribute(Work& work, const Value& value, const Arguments& arguments) {
  return chosen(work, value, arguments, true, true);
}
Value rejected_by_attribute(Work& work, const Value& value, const Arguments& arguments) {
  return chosen(work, value, arguments, true, false);
}

}  // namespace rlhf::text::jinja
