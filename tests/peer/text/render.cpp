// What chat_templates_test.py asks: conversations in, text out.
//
//   peer_render < LINES    each line {"template": "...", "messages": [...], "prompt": bool,
//                          "tokens": {"bos_token": ...}, "variables": {...}}; for each a line of
//                          JSON: {"text": "..."} with {"generated": [[from, to], ...]} in bytes
//                          where the template marks turns, or {"error": "..."}
#include "rlhf/text/chat_template.hpp"
#include "support/json_lines.hpp"

namespace {

using nlohmann::ordered_json;

ordered_json answer(const ordered_json& question) {
  rlhf::NamedTokens tokens;
  for (const auto& [name, token] : question["tokens"].items()) {
    auto& place = name == "bos_token" ? tokens.bos : name == "eos_token" ? tokens.eos : tokens.pad;
    place = token.get<std::string>();
  }
  const rlhf::ChatTemplate chat(question["template"].get<std::string>(), tokens);
  const auto messages = rlhf::messages_from(question["messages"]);
  const rlhf::ChatOptions options{.add_generation_prompt = question["prompt"].get<bool>(),
                                  .variables = question["variables"]};
  ordered_json result = {{"text", chat.render(messages, options)}};
  if (chat.source().find("endgeneration") != std::string::npos) {
    result["generated"] = ordered_json::array();
    for (const auto& [begin, end] : chat.render_turns(messages, {}, options).assistant) {
      result["generated"].push_back({begin, end});
    }
  }
  return result;
}

}  // namespace

int main() {
  return rlhf::test::answer_lines(answer);
}
