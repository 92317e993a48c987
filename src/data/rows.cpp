#include "rlhf/data/rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "rlhf/core/error.hpp"

namespace rlhf::data {
namespace {

using nlohmann::json;

/// An object whose fields are taken out one by one; what is left is the row's `extra`.
class Fields {
 public:
  Fields(json value, std::string source) : row_(std::move(value)), source_(std::move(source)) {
    require(row_.is_object(), source_ + ": row", "an object", row_.type_name());
  }

  bool has(const std::string& name) const { return row_.contains(name); }

  std::string text(const std::string& name) {
    return text_of(take(name, "a string"), fmt::format("field \"{}\"", name));
  }

  std::vector<std::string> texts(const std::string& name) {
    std::vector<std::string> texts;
    for (json& item : take_array(name)) {
      texts.push_back(
          text_of(std::move(item), fmt::format("field \"{}\", item {}", name, texts.size())));
    }
    return texts;
  }

  std::vector<int64_t> integers(const std::string& name) {
    std::vector<int64_t> integers;
    for (const json& item : take_array(name)) {
      const bool fits = item.is_number_integer() &&
                        (!item.is_number_unsigned() ||
                         item.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()});
      require(fits, fmt::format("{}: field \"{}\", item {}", source_, name, integers.size()),
              "an integer of 64 bits", item.is_number() ? item.dump() : item.type_name());
      integers.push_back(item.get<int64_t>());
    }
    return integers;
  }

  const std::string& source() const { return source_; }
  json take_rest() { return std::move(row_); }

 private:
  json take(const std::string& name, std::string_view expected) {
    const auto field = row_.find(name);
    if (field == row_.end()) {
      std::vector<std::string> names;
      for (const auto& item : row_.items()) names.push_back(fmt::format("\"{}\"", item.key()));
      fail(fmt::format("{}: field \"{}\"", source_, name), expected,
           fmt::format("no such field among [{}]", fmt::join(names, ", ")));
    }
    json value = std::move(*field);
    row_.erase(field);
    return value;
  }

  json take_array(const std::string& name) {
    json value = take(name, "an array");
    require(value.is_array(), fmt::format("{}: field \"{}\"", source_, name), "an array",
            value.type_name());
    return value;
  }

  std::string text_of(json value, const std::string& what) const {
    require(value.is_string(), fmt::format("{}: {}", source_, what), "a string", value.type_name());
    auto& text = value.get_ref<std::string&>();
    require(!text.empty(), fmt::format("{}: {}", source_, what), "some text", "an empty string");
    return std::move(text);
  }

  json row_;
  std::string source_;
};

}  // namespace

void require_ranking(const Ranking& ranking, const std::string& where) {
  const size_t count = ranking.responses.size();
  require(count >= 2, where + ": number of responses", ">= 2", count);
  std::unordered_map<std::string_view, size_t> first_seen;
  for (size_t i = 0; i < count; ++i) {
    require(!ranking.responses[i].empty(), fmt::format("{}: response {}", where, i), "some text",
            "an empty string");
    const auto [twin, is_new] = first_seen.emplace(ranking.responses[i], i);
    require(is_new, fmt::format("{}: response {}", where, i), "one that differs from all others",
            fmt::format("the same as response {}", twin->second));
  }
  if (!ranking.ranks) return;
  const std::vector<int64_t>& ranks = *ranking.ranks;
  require(ranks.size() == count, where + ": number of ranks",
          fmt::format("{}, one a response", count), ranks.size());
  for (size_t i = 1; i < count; ++i) {
    require(ranks[i] >= ranks[i - 1], fmt::format("{}: rank of response {}", where, i),
            fmt::format(">= {}, as the best come first", ranks[i - 1]), ranks[i]);
  }
}

template <>
Demonstration row_from(json value, const FieldNames& names, std::string source) {
  Fields fields(std::move(value), std::move(source));
  return {.prompt = fields.text(names.prompt),
          .completion = fields.text(names.completion),
          .extra = fields.take_rest(),
          .source = fields.source()};
}

template <>
Ranking row_from(json value, const FieldNames& names, std::string source) {
  Fields fields(std::move(value), std::move(source));
  Ranking ranking{.prompt = fields.text(names.prompt), .responses = {}};
  if (fields.has(names.chosen) || fields.has(names.rejected)) {
    require(!fields.has(names.responses), fields.source() + ": row",
            fmt::format("either \"{}\" or \"{}\" and \"{}\"", names.responses, names.chosen,
                        names.rejected),
            "both");
    ranking.responses.push_back(fields.text(names.chosen));
    ranking.responses.push_back(fields.text(names.rejected));
  } else {
    ranking.responses = fields.texts(names.responses);
    if (fields.has(names.ranks)) ranking.ranks = fields.integers(names.ranks);
  }
  ranking.source = fields.source();
  ranking.extra = fields.take_rest();
  require_ranking(ranking, ranking.source);
  return ranking;
}

template <>
Prompt row_from(json value, const FieldNames& names, std::string source) {
  Fields fields(std::move(value), std::move(source));
  return {
      .prompt = fields.text(names.prompt), .extra = fields.take_rest(), .source = fields.source()};
}

}  // namespace rlhf::data
