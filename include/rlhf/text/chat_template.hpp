/// Chat templates: how a model writes a conversation down, and which part of that is its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/core/error.hpp"
#include "rlhf/core/tokenizer.hpp"
#include "rlhf/text/byte_level_bpe.hpp"

namespace rlhf {

/// One turn of a conversation.
struct Message {
  std::string role;
  std::optional<std::string> content = {};  ///< absent where the message has none
  /// What else the template may ask a message for: tool_calls, name, ... A role or content here
  /// takes the place of the one above, as where content is a list or null.
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();
};

/// [{"role": "user", "content": "Hi", ...}, ...]. Templates that print a whole field as JSON see
/// the keys in the order of `messages`.
/// @param where  what holds the messages, for errors
/// @throws Error if it is no array of objects that each have a role
std::vector<Message> messages_from(const nlohmann::ordered_json& messages,
                                   const std::string& where = "messages");

/// How a template is run.
struct ChatOptions {
  /// Ends with the header of an assistant's turn: what a model is prompted with.
  bool add_generation_prompt = false;
  /// What the template finds by name besides messages, bos_token, eos_token, pad_token, unk_token,
  /// add_generation_prompt, and tools and documents, which are none: enable_thinking, date_string,
  /// and so on. These may be named too.
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
  /// What strftime_now() tells, in this time as it stands. Without it templates find no such
  /// function, so that one text does not differ from day to day; those of Llama 3 then name the
  /// date that they were made with.
  std::optional<std::chrono::sys_seconds> now = {};
};

/// Bytes of a text, from `begin` to `end`.
struct TextRange {
  size_t begin;
  size_t end;

  bool operator==(const TextRange&) const = default;
};

/// A conversation as text, and what the assistant said of it.
struct ChatText {
  std::string text;
  std::vector<TextRange> assistant;  ///< in order, none within another
};

/// How much a template may do: it is a program of a stranger.
struct RenderLimits {
  int64_t steps = 20'000'000;  ///< an operation, an element made, 16 bytes of text made
  int64_t output_bytes = int64_t{1} << 26;

  void validate() const;
};

/// A template in Jinja, as tokenizer_config.json and chat_template.jinja hold it and `transformers`
/// runs it: with trim_blocks and lstrip_blocks, in a sandbox, special tokens by their names.
///
/// It is run by an interpreter of the part of Jinja that chat templates use, not recognised among
/// known forms: users bring templates of their own, and those of the families differ from version
/// to version. Known are for (with if and else), if, set (also of blocks and namespaces), macro,
/// break, continue, raw, generation; all operators, conditionals, slices; the filters, tests and
/// methods of text, lists and dicts that change nothing; namespace, range, dict, raise_exception,
/// strftime_now. What is not known is refused by its name and line, nothing is passed over:
/// inheritance, includes, imports, call, filter and with blocks, recursive loops, escaping, the %
/// of text. Upper and lower case map one character to one ("ß" stays as it is).
///
/// Nothing a template does takes long or much: steps, output, nesting and recursion are bounded.
/// A value: copies share the parsed template. Safe to use from many threads.
class ChatTemplate {
 public:
  /// @throws Error naming the line of a mistake in the template
  explicit ChatTemplate(std::string source, NamedTokens tokens = {}, RenderLimits limits = {});

  /// Of a folder of Hugging Face: chat_template.jinja (or additional_chat_templates/NAME.jinja), or
  /// "chat_template" of tokenizer_config.json, which is a template or a list of named ones.
  /// @throws Error naming file and field, if there is none of this name too
  static ChatTemplate load(const std::filesystem::path& folder,
                           const std::string& name = "default");

  /// The conversation as text.
  /// @throws Error naming the line of the template and what is missing there, or what the template
  ///         says against these messages
  std::string render(std::span<const Message> messages, const ChatOptions& options = {}) const;

  /// The whole conversation as text, and in it each turn of the assistant: content and the token
  /// that ends it.
  ///
  /// Where the template marks them ({% generation %}), those are the turns. Elsewhere a turn begins
  /// where the conversation before it ends when it is rendered as a prompt (with
  /// add_generation_prompt), and goes up to the last of `ends` before the next message; so what a
  /// template puts behind that token, such as a line end, is not the assistant's.
  /// @param ends  the texts of the tokens that end a turn, such as "<|im_end|>"
  /// @throws Error as render, and naming the message whose prompt is no part of the conversation or
  ///         whose turn has no end
  ChatText render_turns(std::span<const Message> messages, std::span<const std::string> ends,
                        const ChatOptions& options = {}) const;

  const std::string& source() const;
  const NamedTokens& tokens() const;

 private:
  struct Program;
  std::shared_ptr<const Program> program_;
};

/// A conversation as tokens.
struct ChatTokens {
  std::vector<int64_t> ids;
  std::vector<bool> counted;         ///< one an id: whether it is the assistant's
  std::vector<TextRange> assistant;  ///< ids of each turn of the assistant, from and to
};

/// The texts of a tokenizer's end tokens, for render_turns.
template <Tokenizer T>
std::vector<std::string> end_texts(const T& tokenizer) {
  std::vector<std::string> texts;
  for (int64_t id : tokenizer.end_tokens()) {
    texts.push_back(tokenizer.decode(std::vector<int64_t>{id}, SpecialTokens::keep));
  }
  return texts;
}

/// The tokens of a conversation. What stands before, in and after each turn is encoded by itself,
/// as it is when the model is prompted and answers: no token lies across a boundary. A content
/// that spells a special token becomes it, as with `transformers`.
/// @throws Error if turns overlap or lie outside the text
template <Tokenizer T>
ChatTokens encode_chat(const T& tokenizer, const ChatText& chat) {
  ChatTokens tokens;
  size_t done = 0;
  const auto put = [&](size_t end, bool counted) {
    require(end >= done && end <= chat.text.size(), "ChatText::assistant",
            "ranges in order within the text", end);
    const auto ids = tokenizer.encode(std::string_view(chat.text).substr(done, end - done));
    tokens.ids.insert(tokens.ids.end(), ids.begin(), ids.end());
    tokens.counted.resize(tokens.ids.size(), counted);
    done = end;
  };
  for (const auto& [begin, end] : chat.assistant) {
    put(begin, false);
    const size_t first = tokens.ids.size();
    put(end, true);
    tokens.assistant.push_back({first, tokens.ids.size()});
  }
  put(chat.text.size(), false);
  return tokens;
}

}  // namespace rlhf
