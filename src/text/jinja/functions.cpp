// Functions that templates find by name.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "calls.hpp"

namespace rlhf::text::jinja {
namespace {

constexpr int64_t longest_range = 100'000;  // Jinja's sandbox has the same

Value range(Work& work, const Arguments& given) {
  const auto bound = given.bind(work, "range", {"start", "stop", "step"});
  if (!bound[0]) work.refuse("range: how far?");
  const auto whole = [&](size_t i) { return whole_number(work, *bound[i], "range"); };
  const int64_t start = bound[1] ? whole(0) : 0, stop = bound[1] ? whole(1) : whole(0);
  const int64_t step = bound[2] ? whole(2) : 1;
  if (step == 0) work.refuse("range: expected a step other than 0");
  List items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (static_cast<int64_t>(items.size()) == longest_range) {
      work.refuse(fmt::format("range: more than {} numbers", longest_range));
    }
    items.push_back(Value(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return list_value(work, std::move(items));
}

Value date(Work& work, const Arguments& given, std::chrono::sys_seconds now) {
  const auto bound = given.bind(work, "strftime_now", {"format"});
  const std::string& format =
      require_text(work, bound[0].value_or(Value()), "strftime_now: format");
  const std::time_t time = std::chrono::system_clock::to_time_t(now);
  std::tm parts = {};
  gmtime_r(&time, &parts);
  std::array<char, 256> buffer = {};
  const size_t size = std::strftime(buffer.data(), buffer.size(), format.c_str(), &parts);
  if (size == 0 && !format.empty()) work.refuse("strftime_now: a format of at most 255 bytes");
  return text_value(work, std::string(buffer.data(), size));
}

Value make_namespace(Work& work, Entries entries) {
  auto made = std::make_shared<Namespace>();
  for (auto& [key, value] : entries) {
    list_value(work, {value});  // refuses what may be in no container
    made->values.insert_or_assign(key, std::move(value));
  }
  return Value(std::move(made));
}

}  // namespace

void put_entry(Work& work, Entries& entries, const std::string& key, Value value) {
  work.charge(1 + entries.size() / 8);
  const auto place = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  if (place == entries.end()) {
    entries.emplace_back(key, std::move(value));
  } else {
    place->second = std::move(value);
  }
}

Value call_function(Work& work, std::string_view name, const Arguments& given,
                    std::optional<std::chrono::sys_seconds> now) {
  if (name == "range") return range(work, given);
  if (name == "strftime_now") return date(work, given, now.value());
  if (name == "raise_exception") {
    const auto bound = given.bind(work, name, {"message"});
    work.refuse(bound[0] ? shown(work, *bound[0]) : "it raises an exception");
  }
  Entries entries;
  for (const Value& first : given.positional) {
    if (first.mapping() == nullptr) work.refuse(fmt::format("{}: expected a dict", name));
    for (const auto& [key, value] : first.mapping()->entries) put_entry(work, entries, key, value);
  }
  for (const auto& [key, value] : given.named) put_entry(work, entries, key, value);
  return name == "dict" ? mapping_value(work, std::move(entries))
                        : make_namespace(work, std::move(entries));
}

}  // namespace rlhf::text::jinja
