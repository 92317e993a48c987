#include "fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "rlhf/core/error.hpp"

namespace rlhf::data {
namespace {

using nlohmann::ordered_json;

void require_assistant(const Conversation& messages, const std::string& where) {
  for (const Message& message : messages) {
    if (is_of_assistant(message)) return;
  }
  fail(where, "at least one message of the assistant", "none");
}

/// Whether there is something to read: content of any form, or what an assistant has in its place
/// (tool_calls).
bool says_something(const Message& message) {
  if (message.content) return true;
  const auto content = message.fields.find("content");
  if (content != message.fields.end() && !content->is_null()) return true;
  if (!is_of_assistant(message)) return false;
  for (const auto& [key, value] : message.fields.items()) {
    if (!value.is_null()) return true;
  }
  return false;
}

Conversation conversation_of(const ordered_json& value, Part part, const std::string& where) {
  Conversation messages = messages_from(value, where);
  require(!messages.empty(), where, "at least one message", "none");
  for (size_t i = 0; i < messages.size(); ++i) {
    require(says_something(messages[i]), fmt::format("{}[{}]", where, i),
            is_of_assistant(messages[i]) ? "content, or another field in its place" : "content",
            "none");
  }
  if (part == Part::completion) {
    require_assistant(messages, where);
  } else {
    require(!is_of_assistant(messages.back()), where + ": role of the last message",
            "another than that which responds", "assistant");
  }
  return messages;
}

Content content_of(ordered_json value, Part part, const std::string& where) {
  if (value.is_array()) return conversation_of(value, part, where);
  auto& text = value.get_ref<std::string&>();
  require(!text.empty(), where, "some text", "an empty string");
  return std::move(text);
}

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// Length of the common beginning, in whole characters, that leaves at least one of both texts. As
/// TRL has it, a space before the first difference is not part of it.
size_t common_beginning(std::string_view a, std::string_view b) {
  size_t at = common_bytes(a, b);
  const bool differ = at < std::min(a.size(), b.size());
  // Where one text is the beginning of the other, its last character stays.
  if (!differ) --at;
  const std::string_view text = a.size() < b.size() ? a : b;
  while (at > 0 && !begins_character(text[at])) --at;
  if (differ && at > 0 && text[at - 1] == ' ') --at;
  return at;
}

size_t common_beginning(const Conversation& a, const Conversation& b) {
  const size_t most = std::min(a.size(), b.size()) - 1;
  size_t at = 0;
  while (at < most && same(a[at], b[at])) ++at;
  return at;
}

}  // namespace

bool is_of_assistant(const Message& message) {
  return message.role == "assistant";
}

bool same(const Message& a, const Message& b) {
  return a.role == b.role && a.content == b.content &&
         nlohmann::json(a.fields) == nlohmann::json(b.fields);
}

size_t common_bytes(std::string_view a, std::string_view b) {
  const size_t shorter = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shorter), b.begin()).first -
      a.begin());
}

Content Fields::content(const std::string& name, Part part) {
  const std::string where = field_place(source_, name);
  return content_of(take(name), part, where);
}

std::vector<Content> Fields::contents(const std::string& name, RowFormat format) {
  const std::string where = field_place(source_, name);
  std::vector<Content> contents;
  for (ordered_json& item : take_array(name)) {
    const std::string place = fmt::format("{}, item {}", where, contents.size());
    const bool text = format == RowFormat::standard;
    require(text ? item.is_string() : item.is_array(), place,
            text ? "a string" : "an array of messages", item.type_name());
    contents.push_back(content_of(std::move(item), Part::completion, place));
  }
  return contents;
}

std::vector<int64_t> Fields::integers(const std::string& name) {
  std::vector<int64_t> integers;
  for (const ordered_json& item : take_array(name)) {
    const bool fits = item.is_number_integer() &&
                      (!item.is_number_unsigned() ||
                       item.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()});
    require(fits, fmt::format("{}, item {}", field_place(source_, name), integers.size()),
            "an integer of 64 bits", item.is_number() ? item.dump() : item.type_name());
    integers.push_back(item.get<int64_t>());
  }
  return integers;
}

bool Fields::boolean(const std::string& name) {
  const ordered_json value = take(name);
  require(value.is_boolean(), field_place(source_, name), "true or false", value.type_name());
  return value.get<bool>();
}

ordered_json Fields::take(const std::string& name) {
  const auto field = row_.find(name);
  ordered_json value = std::move(*field);
  row_.erase(field);
  return value;
}

ordered_json Fields::take_array(const std::string& name) {
  ordered_json value = take(name);
  require(value.is_array(), field_place(source_, name), "an array", value.type_name());
  return value;
}

Content extract_prompt(Content& chosen, Content& rejected, const std::string& where) {
  const auto extract = [&]<class T>(T& a, T& b) -> Content {
    const size_t common = common_beginning(a, b);
    require(common > 0, where, "a common beginning, which is the prompt", "none");
    const auto end = static_cast<std::ptrdiff_t>(common);
    T prompt(a.begin(), a.begin() + end);
    a.erase(a.begin(), a.begin() + end);
    b.erase(b.begin(), b.begin() + end);
    return prompt;
  };
  if (auto* text = std::get_if<std::string>(&chosen)) {
    return extract(*text, std::get<std::string>(rejected));
  }
  Content prompt = extract(std::get<Conversation>(chosen), std::get<Conversation>(rejected));
  for (const Content* rest : {&chosen, &rejected}) {
    require_assistant(std::get<Conversation>(*rest), where + " behind their common beginning");
  }
  return prompt;
}

}  // namespace rlhf::data
