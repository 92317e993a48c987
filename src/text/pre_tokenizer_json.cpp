// The field pre_tokenizer of a tokenizer.json: as split rules, and split rules as that.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "json_field.hpp"
#include "rlhf/core/error.hpp"
#include "tokenizer_json.hpp"

namespace rlhf::text {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> behavior_names = {
    "Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};

/// A pattern for a string that stands for itself.
std::string escaped(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    if (std::string_view(R"(\.+*?()|[]{}^$#&-~)").find(c) != std::string_view::npos)
      pattern += '\\';
    pattern += c;
  }
  return pattern;
}

SplitRule read_split(const JsonField& field) {
  SplitRule rule{.pattern = {}, .invert = field.flag("invert", false)};
  const JsonField pattern = field.at("pattern");
  if (const auto regex = pattern.find("Regex")) {
    rule.pattern = regex->string();
  } else if (const auto text = pattern.find("String")) {
    rule.pattern = escaped(text->string());
  } else {
    pattern.refuse("a Regex or a String");
  }
  if (rule.pattern.empty()) pattern.refuse("a pattern that is not empty");
  const JsonField behavior = field.at("behavior");
  const auto place = std::find(behavior_names.begin(), behavior_names.end(), behavior.string());
  if (place == behavior_names.end()) {
    behavior.refuse("Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous");
  }
  rule.behavior = static_cast<SplitBehavior>(place - behavior_names.begin());
  return rule;
}

void read_byte_level(const JsonField& field, std::vector<SplitRule>& rules) {
  const bool cuts = field.flag("use_regex", true);
  const bool prefix_space = field.at("add_prefix_space").boolean();
  if (!cuts && !prefix_space) return;
  SplitRule rule = cuts ? gpt2_splits().front() : SplitRule{};
  rule.prefix_space = prefix_space;
  rules.push_back(std::move(rule));
}

/// Appends the rules of one component. What follows ByteLevel would see the byte alphabet.
void read_component(const JsonField& field, std::vector<SplitRule>& rules, bool& at_bytes) {
  const std::string& type = field.at("type").string();
  if (at_bytes) field.refuse("nothing after ByteLevel");
  if (type == "Split") {
    rules.push_back(read_split(field));
  } else if (type == "Digits") {
    rules.push_back(digits_split(field.flag("individual_digits", false)
                                     ? SplitBehavior::isolated
                                     : SplitBehavior::contiguous));
  } else if (type == "ByteLevel") {
    read_byte_level(field, rules);
    at_bytes = true;
  } else if (type == "Sequence") {
    const JsonField parts = field.at("pretokenizers");
    for (size_t i = 0; i < parts.size(); ++i) read_component(parts.at(i), rules, at_bytes);
  } else {
    field.refuse("Split, Digits, ByteLevel or a Sequence of them");
  }
}

ordered_json byte_level_json(bool prefix_space, bool cuts) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", prefix_space},
          {"trim_offsets", true},
          {"use_regex", cuts}};
}

ordered_json split_json(const SplitRule& rule) {
  for (SplitBehavior behavior : {SplitBehavior::isolated, SplitBehavior::contiguous}) {
    if (rule == digits_split(behavior)) {
      return {{"type", "Digits"}, {"individual_digits", behavior == SplitBehavior::isolated}};
    }
  }
  return {{"type", "Split"},
          {"pattern", {{"Regex", rule.pattern}}},
          {"behavior", behavior_names[static_cast<size_t>(rule.behavior)]},
          {"invert", rule.invert}};
}

}  // namespace

std::vector<SplitRule> read_pre_tokenizer(const JsonField& field) {
  std::vector<SplitRule> rules;
  bool at_bytes = false;
  read_component(field, rules, at_bytes);
  if (!at_bytes) field.refuse("ByteLevel at the end");
  return rules;
}

ordered_json pre_tokenizer_json(const std::vector<SplitRule>& rules) {
  ordered_json parts = ordered_json::array();
  bool at_bytes = false;
  for (const SplitRule& rule : rules) {
    SplitRule plain = rule;
    plain.prefix_space = false;
    const bool last = &rule == &rules.back();
    const bool is_byte_level = plain == gpt2_splits().front() || plain == SplitRule{};
    if (last && is_byte_level) {
      parts.push_back(byte_level_json(rule.prefix_space, !rule.pattern.empty()));
      at_bytes = true;
      continue;
    }
    require(!rule.prefix_space, "SplitRule::prefix_space in a tokenizer.json",
            "only in the last rule, which is GPT-2's or cuts nothing", rule.pattern);
    if (!rule.pattern.empty()) parts.push_back(split_json(rule));
  }
  if (!at_bytes) parts.push_back(byte_level_json(false, false));
  if (parts.size() == 1) return parts.front();
  return {{"type", "Sequence"}, {"pretokenizers", parts}};
}

}  // namespace rlhf::text
