#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "rlhf/core/error.hpp"
#include "rlhf/text/chat_template.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

class ChatFiles : public testing::Test {
 protected:
  std::string render(const std::string& name = "default") {
    return ChatTemplate::load(folder_.path(), name).render({});
  }
  test::TemporaryFolder folder_;
};

TEST_F(ChatFiles, ATemplateStandsInTheTokenizersConfiguration) {
  folder_.put(
      "tokenizer_config.json",
      R"({"bos_token": {"content": "<s>"}, "chat_template": "{{ bos_token }}{{ eos_token }}"})");
  folder_.put("special_tokens_map.json", R"({"eos_token": "</s>", "bos_token": "other"})");
  EXPECT_EQ(render(), "<s></s>");
}

TEST_F(ChatFiles, NamedTemplatesStandInAList) {
  folder_.put(
      "tokenizer_config.json",
      R"({"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]})");
  EXPECT_EQ(render(), "a");
  EXPECT_EQ(render("tool_use"), "b");
  EXPECT_THAT(error_of([&] { render("rag"); }),
              AllOf(HasSubstr(folder_.path().string()),
                    HasSubstr("expected \"rag\" in rag.jinja or tokenizer_config.json, got none")));
}

TEST_F(ChatFiles, AFileOfItsOwnComesFirst) {
  folder_.put("tokenizer_config.json", R"({"chat_template": "a", "bos_token": "<s>"})");
  folder_.put("chat_template.jinja", "{{ bos_token }}b\n");
  EXPECT_EQ(render(), "<s>b");
  std::filesystem::create_directories(folder_ / "additional_chat_templates");
  folder_.put("additional_chat_templates/tool_use.jinja", "c");
  EXPECT_EQ(render("tool_use"), "c");
}

TEST_F(ChatFiles, NothingIsReadOutsideTheFolder) {
  for (const std::string name : {"../chat_template", "/x", "", "..", "a\\b"}) {
    EXPECT_THAT(error_of([&] { render(name); }), HasSubstr("expected a name without slashes"))
        << name;
  }
}

TEST_F(ChatFiles, MistakesAreNamedWithTheirFile) {
  EXPECT_THAT(
      error_of([&] { render(); }),
      HasSubstr("expected \"default\" in chat_template.jinja or tokenizer_config.json, got none"));
  folder_.put("tokenizer_config.json", R"({"chat_template": 1})");
  EXPECT_THAT(
      error_of([&] { render(); }),
      AllOf(HasSubstr("tokenizer_config.json: chat_template: expected a template or a list"),
            HasSubstr("got 1")));
  folder_.put("tokenizer_config.json", R"({"chat_template": [{"name": "default"}]})");
  EXPECT_THAT(error_of([&] { render(); }),
              HasSubstr("chat_template[0]: expected a member \"template\""));
  folder_.put("tokenizer_config.json", R"({"chat_template": "{% if %}"})");
  EXPECT_THAT(error_of([&] { render(); }),
              HasSubstr("tokenizer_config.json: chat template, line 1: expected an expression"));
  folder_.put("chat_template.jinja", "\n{{");
  EXPECT_THAT(error_of([&] { render(); }),
              HasSubstr("chat_template.jinja: chat template, line 2:"));
}

}  // namespace
}  // namespace rlhf
