// Agreement with the Python package `jinja2` as `transformers` sets it up; chat_goldens.py made the
// expected values.
#include "rlhf/text/chat_template.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/core/error.hpp"

namespace rlhf {
namespace {

using nlohmann::ordered_json;

const ordered_json& golden() {
  // Keys in their order: some templates print whole messages.
  static const ordered_json values = [] {
    std::ifstream file(RLHF_GOLDEN_DIR "/data/chat_templates.json");
    return ordered_json::parse(file);
  }();
  return values;
}

/// The text, or nothing where an Error is thrown.
template <class Render>
std::optional<std::string> text_or_error(Render&& render) {
  try {
    return render();
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<std::string> expected_text(const ordered_json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

TEST(ChatTemplateGolden, RendersConversationsAsJinjaDoes) {
  const auto& tokens = golden()["tokens"];
  const NamedTokens named{.bos = tokens["bos_token"].get<std::string>(),
                          .eos = tokens["eos_token"].get<std::string>(),
                          .pad = {},
                          .unk = {}};
  ASSERT_GE(golden()["rendered"].size(), 800U);
  for (const auto& row : golden()["rendered"]) {
    const auto name = row[0].get<std::string>(), conversation = row[1].get<std::string>();
    const auto text = text_or_error([&] {
      const ChatTemplate chat(golden()["templates"][name].get<std::string>(), named);
      return chat.render(messages_from(golden()["conversations"][conversation]),
                         {.add_generation_prompt = row[3].get<bool>(),
                          .variables = golden()["variables"][row[2].get<size_t>()],
                          .now = {}});
    });
    EXPECT_EQ(text, expected_text(row[4])) << name << " of " << conversation << " with " << row[2];
  }
}

TEST(ChatTemplateGolden, RunsSmallTemplatesAsJinjaDoes) {
  ASSERT_GE(golden()["snippets"].size(), 200U);
  for (const auto& row : golden()["snippets"]) {
    ordered_json generated = nullptr;
    const auto text = text_or_error([&] {
      const ChatTemplate chat(row[0].get<std::string>());
      if (row[2].is_array()) {
        generated = ordered_json::array();
        for (const auto& [begin, end] : chat.render_turns({}, {}).assistant) {
          generated.push_back({begin, end});
        }
      }
      return chat.render({});
    });
    EXPECT_EQ(text, expected_text(row[1])) << row[0];
    EXPECT_EQ(generated, row[2]) << row[0];
  }
}

}  // namespace
}  // namespace rlhf
