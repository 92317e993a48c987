#include "rlhf/data/dataset_format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "fields.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::data {
namespace {

using nlohmann::ordered_json;
using Member = std::string FieldNames::*;

struct Layout {
  RowType type;
  std::vector<Member> fields;
};

/// The fields that make each type. `label` tells only beside a completion, `ranks` nothing.
const std::array<Layout, 8>& layouts() {
  using F = FieldNames;
  static const std::array<Layout, 8> all{{
      {RowType::language_modeling, {&F::text}},
      {RowType::language_modeling, {&F::messages}},
      {RowType::prompt_completion, {&F::prompt, &F::completion}},
      {RowType::preference, {&F::prompt, &F::chosen, &F::rejected}},
      {RowType::preference, {&F::prompt, &F::responses}},
      {RowType::implicit_prompt_preference, {&F::chosen, &F::rejected}},
      {RowType::unpaired_preference, {&F::prompt, &F::completion, &F::label}},
      {RowType::prompt_only, {&F::prompt}},
  }};
  return all;
}

bool has(const ordered_json& row, const std::string& name) {
  return !name.empty() && row.contains(name);
}

std::vector<Member> fields_of(const ordered_json& row, const FieldNames& names) {
  using F = FieldNames;
  std::vector<Member> present;
  for (Member field : {&F::text, &F::messages, &F::prompt, &F::completion, &F::chosen, &F::rejected,
                       &F::responses}) {
    if (has(row, names.*field)) present.push_back(field);
  }
  if (has(row, names.completion) && has(row, names.label)) present.push_back(&F::label);
  return present;
}

const Layout* layout_of(const std::vector<Member>& present) {
  for (const Layout& layout : layouts()) {
    const bool same = std::is_permutation(present.begin(), present.end(), layout.fields.begin(),
                                          layout.fields.end());
    if (same) return &layout;
  }
  return nullptr;
}

std::string quoted(const std::vector<Member>& fields, const FieldNames& names) {
  std::vector<std::string> texts;
  for (Member field : fields) texts.push_back(io::quote(names.*field));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// "text" | "messages" | "prompt", "completion"
std::string alternatives(const std::vector<RowType>& types, const FieldNames& names) {
  std::vector<std::string> texts;
  for (const Layout& layout : layouts()) {
    const bool named = std::none_of(layout.fields.begin(), layout.fields.end(),
                                    [&](Member field) { return (names.*field).empty(); });
    const bool asked = std::find(types.begin(), types.end(), layout.type) != types.end();
    if (named && asked) texts.push_back(quoted(layout.fields, names));
  }
  return fmt::format("{}", fmt::join(texts, " | "));
}

/// The first few of a row's fields.
std::string all_names(const ordered_json& row) {
  constexpr size_t most = 8;
  std::vector<std::string> texts;
  for (const auto& item : row.items()) {
    if (texts.size() == most) {
      texts.emplace_back("...");
      break;
    }
    texts.push_back(io::quote(item.key()));
  }
  return texts.empty() ? "no field" : fmt::format("none of them among {}", fmt::join(texts, ", "));
}

std::string_view form_of(const ordered_json& value) {
  return value.is_string() ? "a string" : "an array of messages";
}

/// Whether the text of a row is in strings or in lists; throws where it is in both, or elsewhere.
RowFormat format_of(const ordered_json& row, const std::vector<Member>& present,
                    const FieldNames& names, const std::string& source) {
  using F = FieldNames;
  const std::string* first = nullptr;
  for (Member field : present) {
    if (field == &F::label || field == &F::responses) continue;
    const ordered_json& value = row.at(names.*field);
    const std::string where = field_place(source, names.*field);
    if (field == &F::text) require(value.is_string(), where, "a string", value.type_name());
    if (field == &F::messages)
      require(value.is_array(), where, "an array of messages", value.type_name());
    require(value.is_string() || value.is_array(), where, "a string or an array of messages",
            value.type_name());
    if (first == nullptr) {
      first = &(names.*field);
      continue;
    }
    const ordered_json& other = row.at(*first);
    require(value.is_string() == other.is_string(), where,
            fmt::format("{}, as {} is", form_of(other), io::quote(*first)), form_of(value));
  }
  return row.at(*first).is_string() ? RowFormat::standard : RowFormat::conversational;
}

}  // namespace

std::string field_place(const std::string& source, const std::string& name) {
  return fmt::format("{}: field {}", source, io::quote(name));
}

std::string name_of(const RowKind& kind) {
  constexpr std::array<std::string_view, 6> types{
      "language modelling",  "prompt-completion", "preference", "preference with implicit prompt",
      "unpaired preference", "prompt-only"};
  return fmt::format("{} in the {} format", types[static_cast<size_t>(kind.type)],
                     kind.format == RowFormat::standard ? "standard" : "conversational");
}

RowKind kind_among(const ordered_json& row, const std::vector<RowType>& types,
                   const FieldNames& names, const std::string& source) {
  require(row.is_object(), source + ": row", "an object", row.type_name());
  const std::vector<Member> present = fields_of(row, names);
  const Layout* layout = layout_of(present);
  const bool fits =
      layout != nullptr && std::find(types.begin(), types.end(), layout->type) != types.end();
  if (!fits) {
    fail(source + ": fields of the row", alternatives(types, names),
         present.empty() ? all_names(row) : quoted(present, names));
  }
  return {.type = layout->type, .format = format_of(row, present, names, source)};
}

RowKind kind_of(const ordered_json& row, const FieldNames& names, const std::string& source) {
  return kind_among(
      row,
      {RowType::language_modeling, RowType::prompt_completion, RowType::preference,
       RowType::implicit_prompt_preference, RowType::unpaired_preference, RowType::prompt_only},
      names, source);
}

}  // namespace rlhf::data
