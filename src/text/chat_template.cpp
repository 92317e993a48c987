#include "rlhf/text/chat_template.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jinja/interpreter.hpp"
#include "jinja/parser.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf {
namespace {

using text::jinja::Value;
using text::jinja::Work;

Value message_value(Work& work, const Message& message, size_t number) {
  const auto has = [&](const char* key) { return message.fields.contains(key); };
  require(message.fields.is_object(), fmt::format("fields of message {}", number), "an object",
          message.fields.type_name());
  std::vector<std::pair<std::string, Value>> entries;
  const auto put = [&](const char* key, const std::string& text) {
    if (has(key)) return;
    io::require_utf8(text, fmt::format("{} of message {}", key, number));
    entries.emplace_back(key, text_value(work, text));
  };
  put("role", message.role);
  if (message.content) put("content", *message.content);
  for (const auto& [key, field] : message.fields.items()) {
    entries.emplace_back(key, from_json(work, field));
  }
  return mapping_value(work, std::move(entries));
}

bool is_of_assistant(const Message& message) {
  const auto role = message.fields.find("role");
  return role == message.fields.end() ? message.role == "assistant" : *role == "assistant";
}

/// Where a turn that begins at `begin` ends: behind the last end token before `limit`, or the first
/// one where it is not known where the next message begins.
size_t end_of_turn(const std::string& text, size_t begin, std::optional<size_t> limit,
                   std::span<const std::string> ends) {
  const std::string_view turn =
      std::string_view(text).substr(begin, limit.value_or(text.size()) - begin);
  std::optional<size_t> found;
  for (const std::string& end : ends) {
    if (end.empty()) continue;
    const size_t at = limit ? turn.rfind(end) : turn.find(end);
    if (at == turn.npos) continue;
    const size_t behind = begin + at + end.size();
    found = !found ? behind : limit ? std::max(*found, behind) : std::min(*found, behind);
  }
  return found ? *found : limit.value_or(begin);
}

}  // namespace

void RenderLimits::validate() const {
  require(steps >= 1, "RenderLimits::steps", ">= 1", steps);
  require(output_bytes >= 0, "RenderLimits::output_bytes", ">= 0", output_bytes);
}

struct ChatTemplate::Program {
  std::string source;
  NamedTokens tokens;
  RenderLimits limits;
  std::vector<text::jinja::Statement> body;

  Work work() const { return Work(limits.steps, static_cast<size_t>(limits.output_bytes)); }

  text::jinja::Output run(std::span<const Message> messages, const ChatOptions& options) const {
    Work work = this->work();
    std::vector<std::pair<std::string, Value>> variables;
    text::jinja::List turns;
    for (const Message& message : messages) {
      turns.push_back(message_value(work, message, turns.size()));
    }
    variables.emplace_back("messages", list_value(work, std::move(turns)));
    variables.emplace_back("add_generation_prompt", Value(options.add_generation_prompt));
    variables.emplace_back("tools", Value(text::jinja::None{}));
    variables.emplace_back("documents", Value(text::jinja::None{}));
    for (const auto& [name, token] :
         {std::pair("bos_token", tokens.bos), std::pair("eos_token", tokens.eos),
          std::pair("pad_token", tokens.pad), std::pair("unk_token", tokens.unk)}) {
      if (token) variables.emplace_back(name, text_value(work, *token));
    }
    require(options.variables.is_object(), "ChatOptions::variables", "an object",
            options.variables.type_name());
    for (const auto& [name, value] : options.variables.items()) {
      variables.emplace_back(name, from_json(work, value));
    }
    return run_template(work, body, std::move(variables), options.now);
  }
};

ChatTemplate::ChatTemplate(std::string source, NamedTokens tokens, RenderLimits limits) {
  limits.validate();
  io::require_utf8(source, "chat template");
  auto program = std::make_shared<Program>(Program{
      .source = std::move(source), .tokens = std::move(tokens), .limits = limits, .body = {}});
  Work work = program->work();
  program->body = text::jinja::parse_template(work, program->source);
  program_ = std::move(program);
}

std::string ChatTemplate::render(std::span<const Message> messages,
                                 const ChatOptions& options) const {
  return program_->run(messages, options).text;
}

ChatText ChatTemplate::render_turns(std::span<const Message> messages,
                                    std::span<const std::string> ends,
                                    const ChatOptions& options) const {
  const text::jinja::Output whole = program_->run(messages, options);
  ChatText chat{.text = whole.text, .assistant = {}};
  for (const auto& [begin, end] : whole.generated) {
    if (end > begin) chat.assistant.push_back({begin, end});
  }
  if (!whole.generated.empty()) return chat;
  ChatOptions prompt = options, plain = options;
  prompt.add_generation_prompt = true;
  plain.add_generation_prompt = false;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (!is_of_assistant(messages[i])) continue;
    const std::string before = render(messages.first(i), prompt);
    const std::string after = render(messages.first(i + 1), plain);
    const bool begins = chat.text.starts_with(before) &&
                        (chat.assistant.empty() || chat.assistant.back().end <= before.size());
    if (!begins) {
      fail(
          fmt::format("message {} of a chat: the text before it, as a prompt", i),
          "the beginning of the whole conversation (or a template that marks the assistant's turns "
          "with {% generation %})",
          fmt::format("{:?}", before.substr(before.size() - std::min<size_t>(60, before.size()))));
    }
    const bool known = chat.text.starts_with(after) && after.size() >= before.size();
    const size_t end = end_of_turn(chat.text, before.size(),
                                   known ? std::optional(after.size()) : std::nullopt, ends);
    if (end == before.size() && !known) {
      fail(fmt::format("message {} of a chat", i), "one of the end tokens behind it", "none");
    }
    if (end > before.size()) chat.assistant.push_back({before.size(), end});
  }
  return chat;
}

const std::string& ChatTemplate::source() const {
  return program_->source;
}

const NamedTokens& ChatTemplate::tokens() const {
  return program_->tokens;
}

}  // namespace rlhf
