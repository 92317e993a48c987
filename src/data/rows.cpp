#include "rlhf/data/rows.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "fields.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::data {
namespace {

using nlohmann::ordered_json;

/// One string a content, equal where the contents are.
std::string key_of(const Content& content) {
  if (const auto* text = std::get_if<std::string>(&content)) return *text;
  auto key = nlohmann::json::array();
  for (const Message& message : std::get<Conversation>(content)) {
    key.push_back({message.role, message.content ? nlohmann::json(*message.content) : nullptr,
                   nlohmann::json(message.fields)});
  }
  return key.dump();
}

bool is_empty(const Content& content) {
  return std::visit([](const auto& part) { return part.empty(); }, content);
}

/// What a row is, among the types that are read as `Row`.
template <DataRow Row>
RowKind kind_as(const ordered_json& row, const FieldNames& names, const std::string& source) {
  if constexpr (std::is_same_v<Row, Demonstration>) {
    return kind_among(row, {RowType::language_modeling, RowType::prompt_completion}, names, source);
  } else if constexpr (std::is_same_v<Row, Ranking>) {
    return kind_among(row, {RowType::preference, RowType::implicit_prompt_preference}, names,
                      source);
  } else if constexpr (std::is_same_v<Row, UnpairedPreference>) {
    return kind_among(row, {RowType::unpaired_preference}, names, source);
  } else {
    // All but the prompt is kept for a reward, whatever it is.
    const FieldNames prompt_alone{.text = "",
                                  .messages = "",
                                  .prompt = names.prompt,
                                  .completion = "",
                                  .responses = "",
                                  .ranks = "",
                                  .chosen = "",
                                  .rejected = "",
                                  .label = ""};
    return kind_among(row, {RowType::prompt_only}, prompt_alone, source);
  }
}

}  // namespace

const std::string& text_of(const Content& content, const std::string& where) {
  const auto* text = std::get_if<std::string>(&content);
  if (text == nullptr) fail(where, "text", "a conversation");
  return *text;
}

void require_ranking(const Ranking& ranking, const std::string& where) {
  const size_t count = ranking.responses.size();
  require(count >= 2, where + ": number of responses", ">= 2", count);
  std::unordered_map<std::string, size_t> first_seen;
  for (size_t i = 0; i < count; ++i) {
    require(!is_empty(ranking.responses[i]), fmt::format("{}: response {}", where, i), "some text",
            "an empty string");
    const auto [twin, is_new] = first_seen.emplace(key_of(ranking.responses[i]), i);
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
Demonstration row_from(ordered_json value, const FieldNames& names, std::string source) {
  const RowKind kind = kind_as<Demonstration>(value, names, source);
  Fields fields(std::move(value), std::move(source));
  Demonstration row;
  if (kind.type == RowType::language_modeling) {
    const std::string& name = kind.format == RowFormat::standard ? names.text : names.messages;
    row.completion = fields.content(name, Part::completion);
  } else {
    row.prompt = fields.content(names.prompt, Part::prompt);
    row.completion = fields.content(names.completion, Part::completion);
  }
  row.source = fields.source();
  row.extra = fields.take_rest();
  return row;
}

template <>
Ranking row_from(ordered_json value, const FieldNames& names, std::string source) {
  const RowKind kind = kind_as<Ranking>(value, names, source);
  Fields fields(std::move(value), std::move(source));
  Ranking row;
  if (kind.type == RowType::preference) row.prompt = fields.content(names.prompt, Part::prompt);
  if (fields.has(names.responses)) {
    row.responses = fields.contents(names.responses, kind.format);
    if (fields.has(names.ranks)) row.ranks = fields.integers(names.ranks);
  } else {
    row.responses.push_back(fields.content(names.chosen, Part::completion));
    row.responses.push_back(fields.content(names.rejected, Part::completion));
  }
  row.source = fields.source();
  row.extra = fields.take_rest();
  require_ranking(row, row.source);
  if (kind.type == RowType::implicit_prompt_preference) {
    row.prompt = extract_prompt(
        row.responses[0], row.responses[1],
        fmt::format("{} and \"{}\"", field_place(row.source, names.chosen), names.rejected));
  }
  return row;
}

template <>
UnpairedPreference row_from(ordered_json value, const FieldNames& names, std::string source) {
  kind_as<UnpairedPreference>(value, names, source);
  Fields fields(std::move(value), std::move(source));
  UnpairedPreference row{.prompt = fields.content(names.prompt, Part::prompt),
                         .completion = fields.content(names.completion, Part::completion),
                         .label = fields.boolean(names.label),
                         .source = fields.source()};
  row.extra = fields.take_rest();
  return row;
}

template <>
Prompt row_from(ordered_json value, const FieldNames& names, std::string source) {
  kind_as<Prompt>(value, names, source);
  Fields fields(std::move(value), std::move(source));
  Prompt row{.prompt = fields.content(names.prompt, Part::prompt), .source = fields.source()};
  row.extra = fields.take_rest();
  return row;
}

template <DataRow Row>
std::optional<Row> RowReader<Row>::next() {
  auto value = lines_.next();
  if (!value) return std::nullopt;
  const RowKind kind = kind_as<Row>(*value, fields_, lines_.where());
  if (!kind_) {
    kind_ = kind;
    first_ = lines_.where();
  }
  if (kind != *kind_) {
    fail(lines_.where() + ": row", fmt::format("{}, as at {}", name_of(*kind_), first_),
         name_of(kind));
  }
  return row_from<Row>(std::move(*value), fields_, lines_.where());
}

template class RowReader<Demonstration>;
template class RowReader<Ranking>;
template class RowReader<UnpairedPreference>;
template class RowReader<Prompt>;

}  // namespace rlhf::data
