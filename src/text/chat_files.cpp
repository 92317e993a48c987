// Chat templates in a folder, and messages in JSON.
#include <fmt/format.h>

#include "json_field.hpp"
#include "named_tokens.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/text/chat_template.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

constexpr int64_t largest_template = int64_t{1} << 20;

/// The template of this name in tokenizer_config.json's "chat_template"; nothing if there is none.
std::optional<std::string> configured_template(const text::JsonField& config,
                                               const std::string& name) {
  const auto field = config.find("chat_template");
  if (!field) return std::nullopt;
  if (field->value().is_string()) {
    return name == "default" ? std::optional(field->string()) : std::nullopt;
  }
  if (!field->value().is_array()) field->refuse("a template or a list of named templates");
  for (size_t i = 0; i < field->size(); ++i) {
    const text::JsonField entry = field->at(i);
    if (entry.at("name").string() == name) return entry.at("template").string();
  }
  return std::nullopt;
}

}  // namespace

ChatTemplate ChatTemplate::load(const fs::path& folder, const std::string& name) {
  const text::TokenizerConfig config(folder);
  const bool is_default = name == "default";
  // A name is one file of the folder, never a path out of it.
  require(!name.empty() && name.find_first_of("/\\") == name.npos && name != "." && name != "..",
          "name of a chat template", "a name without slashes", name);
  const fs::path file = is_default ? folder / "chat_template.jinja"
                                   : folder / "additional_chat_templates" / (name + ".jinja");
  std::error_code error;
  const bool has_file = fs::exists(file, error);
  auto source = has_file ? std::optional(io::read_file(file, largest_template))
                         : configured_template(config.root(), name);
  if (!source) {
    fail(fmt::format("{}: chat template", folder.string()),
         fmt::format("\"{}\" in {} or tokenizer_config.json", name, file.filename().string()),
         "none");
  }
  try {
    return ChatTemplate(*std::move(source), config.named());
  } catch (const Error& mistake) {
    throw Error(
        fmt::format("{}: {}", has_file ? file.string() : config.root().where(), mistake.what()));
  }
}

std::vector<Message> messages_from(const nlohmann::ordered_json& messages,
                                   const std::string& where) {
  require(messages.is_array(), where, "an array of messages", messages.type_name());
  std::vector<Message> parsed;
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto& entry = messages[i];
    const std::string place = fmt::format("{}[{}]", where, i);
    require(entry.is_object(), place, "an object", entry.type_name());
    const auto role = entry.find("role");
    require(role != entry.end() && role->is_string(), place + ".role", "a string",
            role == entry.end() ? "none" : role->type_name());
    Message message{.role = role->get<std::string>()};
    for (const auto& [key, field] : entry.items()) {
      if (key == "role") continue;
      if (key == "content" && field.is_string()) {
        message.content = field.get<std::string>();
      } else {
        // Keys differ; [] would look through all that are there.
        message.fields.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(key, field);
      }
    }
    parsed.push_back(std::move(message));
  }
  return parsed;
}

}  // namespace rlhf
