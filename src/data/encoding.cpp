#include "encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fields.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::data {

static_assert(Tokenizer<detail::Encoder>);

namespace {

using nlohmann::ordered_json;

void append(Tokens& tokens, const Tokens& more) {
  tokens.insert(tokens.end(), more.begin(), more.end());
}

void require_tokens(const Tokens& tokens, std::string_view what, const std::string& where) {
  require(!tokens.empty(), fmt::format("{}: tokens of the {}", where, what), ">= 1", 0);
}

/// What has no prompt: its first token, which nothing predicts, becomes one.
void begin_with_first_token(EncodedPair& pair) {
  if (!pair.prompt.empty() || pair.response.empty()) return;
  pair.prompt.push_back(pair.response.front());
  pair.response.erase(pair.response.begin());
  pair.counted.erase(pair.counted.begin());
}

/// What the template makes of a conversation; its errors name the row.
template <class Render>
auto rendered(const std::string& where, const Render& render) {
  try {
    return render();
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace

EncodedPair Encoding::pair(const std::optional<Content>& prompt, const Content& completion,
                           const ordered_json& extra, const std::string& where) const {
  require(!prompt || prompt->index() == completion.index(), where + ": prompt and completion",
          "both text or both messages", "one of each");
  EncodedPair pair;
  if (const auto* text = std::get_if<std::string>(&completion)) {
    pair = text_pair(prompt, *text, where);
  } else {
    pair = chat_pair(prompt ? &std::get<Conversation>(*prompt) : nullptr,
                     std::get<Conversation>(completion), extra, where);
  }
  if (!prompt) begin_with_first_token(pair);
  require_tokens(pair.prompt, "prompt", where);
  require_tokens(pair.response, "response", where);
  return pair;
}

EncodedPair Encoding::prompt(const Content& prompt, const ordered_json& extra,
                             const std::string& where) const {
  EncodedPair pair;
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    pair.prompt = text_prompt(*text, where);
  } else {
    ChatOptions options = chat_options(extra, where);
    options.add_generation_prompt = true;
    pair.prompt = encoder_.encode(rendered(
        where, [&] { return chat(where).render(std::get<Conversation>(prompt), options); }));
  }
  require_tokens(pair.prompt, "prompt", where);
  return pair;
}

Tokens Encoding::text_prompt(const std::string& text, const std::string& where) const {
  Tokens tokens = options_.bos ? Tokens{*options_.bos} : Tokens{};
  append(tokens, encoder_.encode(text));
  require_tokens(tokens, "prompt", where);
  return tokens;
}

EncodedPair Encoding::text_pair(const std::optional<Content>& prompt, const std::string& completion,
                                const std::string& where) const {
  EncodedPair pair{.prompt = prompt ? text_prompt(std::get<std::string>(*prompt), where) : Tokens{},
                   .response = encoder_.encode(completion),
                   .counted = {}};
  require_tokens(pair.response, "response", where);
  if (!prompt && options_.bos) pair.prompt.push_back(*options_.bos);
  if (options_.end == EndToken::append) {
    require(!encoder_.ends.empty(), "end_tokens() of the tokenizer", "one to append", "none");
    pair.response.push_back(encoder_.ends.front());
  }
  pair.counted.assign(pair.response.size(), true);
  return pair;
}

EncodedPair Encoding::chat_pair(const Conversation* prompt, const Conversation& completion,
                                const ordered_json& extra, const std::string& where) const {
  Conversation messages = prompt != nullptr ? *prompt : Conversation{};
  messages.insert(messages.end(), completion.begin(), completion.end());
  ChatOptions options = chat_options(extra, where);
  ChatText whole = rendered(
      where, [&] { return chat(where).render_turns(messages, end_texts(encoder_), options); });
  size_t boundary = 0;
  if (prompt != nullptr) {
    // As TRL has it: what the model is prompted with, as far as the conversation begins so too.
    options.add_generation_prompt = !completion.empty() && is_of_assistant(completion.front());
    boundary = common_bytes(rendered(where, [&] { return chat(where).render(*prompt, options); }),
                            whole.text);
  }
  std::erase_if(whole.assistant, [&](const TextRange& turn) { return turn.end <= boundary; });
  require(!whole.assistant.empty(), where + ": turns of the assistant", ">= 1", 0);
  if (prompt == nullptr) boundary = whole.assistant.front().begin;

  ChatText response{.text = whole.text.substr(boundary, whole.assistant.back().end - boundary),
                    .assistant = {}};
  for (const auto& [begin, end] : whole.assistant) {
    response.assistant.push_back({std::max(begin, boundary) - boundary, end - boundary});
  }
  ChatTokens tokens = encode_chat(encoder_, response);
  return {.prompt = encoder_.encode(std::string_view(whole.text).substr(0, boundary)),
          .response = std::move(tokens.ids),
          .counted = std::move(tokens.counted)};
}

const ChatTemplate& Encoding::chat(const std::string& where) const {
  if (!options_.chat) fail(where + ": conversation", "a chat template", "none to write it down");
  return *options_.chat;
}

ChatOptions Encoding::chat_options(const ordered_json& extra, const std::string& where) const {
  ChatOptions options = options_.chat_options;
  options.add_generation_prompt = false;
  const auto variables = extra.find("chat_template_kwargs");
  if (variables != extra.end() && !variables->is_null()) {
    require(variables->is_object(), where + ": field \"chat_template_kwargs\"", "an object",
            variables->type_name());
    for (const auto& [name, value] : variables->items()) options.variables[name] = value;
  }
  // Templates tell no tools from an empty list of them, by which Llama 3 writes their header.
  const auto tools = extra.find("tools");
  if (tools != extra.end() && !tools->is_null() && !tools->empty()) {
    options.variables["tools"] =
        tools->is_string()
            ? io::parse_ordered_json(tools->get<std::string>(), where + ": field \"tools\"")
            : *tools;
  }
  return options;
}

bool Encoding::keep(EncodedPair& pair, const std::string& where) const {
  const auto limit = static_cast<size_t>(options_.max_tokens);
  const auto& [prompt, response, counted] = pair;
  if (limit == 0 || prompt.size() + response.size() <= limit) return true;
  if (options_.too_long == TooLong::drop) return false;
  const bool prompt_alone = response.empty();
  if (options_.too_long == TooLong::truncate_response && !prompt_alone && prompt.size() < limit) {
    pair.response.resize(limit - prompt.size());
    pair.counted.resize(limit - prompt.size());
    require(std::find(counted.begin(), counted.end(), true) != counted.end(),
            where + ": tokens before the assistant's first turn",
            fmt::format("< {} (max_tokens)", limit), "more");
    return true;
  }
  const bool prompt_fits = prompt.size() < limit + (prompt_alone ? 1 : 0);
  if (!prompt_fits) {
    fail(where + ": tokens of the prompt",
         fmt::format("{} {} (max_tokens)", prompt_alone ? "<=" : "<", limit),
         fmt::format("{}", prompt.size()));
  }
  fail(where + ": tokens of prompt and response", fmt::format("<= {} (max_tokens)", limit),
       fmt::format("{} + {}", prompt.size(), response.size()));
}

}  // namespace rlhf::data
