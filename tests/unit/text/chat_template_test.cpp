#include "rlhf/text/chat_template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/text/character_tokenizer.hpp"
#include "support/chats.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::chatml;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> im_end{"<|im_end|>"};

std::vector<Message> conversation() {
  return {{"system", "Be brief."},
          {"user", "Hi"},
          {"assistant", "Hello!"},
          {"user", "Bye"},
          {"assistant", "So long."}};
}

/// The turns of the assistant as text.
std::vector<std::string> turns(const ChatText& chat) {
  std::vector<std::string> found;
  for (const auto& [begin, end] : chat.assistant)
    found.push_back(chat.text.substr(begin, end - begin));
  return found;
}

std::vector<std::string> turns(const std::string& source, const std::vector<Message>& messages,
                               const std::vector<std::string>& ends = im_end) {
  return turns(ChatTemplate(source).render_turns(messages, ends));
}

TEST(ChatTemplate, WritesAConversationDown) {
  const ChatTemplate chat(chatml);
  const std::vector<Message> messages{{"user", "Hi"}};
  EXPECT_EQ(chat.render(messages), "<|im_start|>user\nHi<|im_end|>\n");
  EXPECT_EQ(chat.render(messages, {.add_generation_prompt = true}),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(chat.render({}), "");
}

TEST(ChatTemplate, FindsTokensVariablesAndFieldsByName) {
  const ChatTemplate chat(
      "{{ bos_token }}{{ messages[0].name }}{{ tools[0].n }}{{ documents }}{{ pad_token }}|",
      {.bos = "<s>", .eos = {}, .pad = {}, .unk = {}});
  const std::vector<Message> messages{{"user", "Hi", {{"name", "Ann"}}}};
  EXPECT_EQ(chat.render(messages, {.variables = {{"tools", {{{"n", 7}}}}}, .now = {}}),
            "<s>Ann7None|");
}

TEST(ChatTemplate, AMessageMayHaveNoContentOrAnother) {
  const ChatTemplate chat("{{ messages[0].content is defined }} {{ messages[0].content }}");
  EXPECT_EQ(chat.render(std::vector<Message>{{"user", {}}}), "False ");
  EXPECT_EQ(chat.render(std::vector<Message>{{"user", "x", {{"content", nullptr}}}}), "True None");
  EXPECT_EQ(chat.render(std::vector<Message>{{"user", {}, {{"content", {1, 2}}}}}), "True [1, 2]");
}

TEST(ChatTemplate, TellsADateOnlyWhereItIsGivenOne) {
  const ChatTemplate chat(
      "{{ strftime_now('%d %b %Y') if strftime_now is defined else 'no date' }}");
  EXPECT_EQ(chat.render({}), "no date");
  using namespace std::chrono;
  EXPECT_EQ(chat.render({}, {.now = sys_days{year{2025} / 3 / 9}}), "09 Mar 2025");
}

TEST(ChatTemplate, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(error_of([] { ChatTemplate("a\n{{ b"); }),
              HasSubstr("chat template, line 2: a tag without its }}"));
  EXPECT_THAT(error_of([] { ChatTemplate("\n\n{% include 'x' %}"); }),
              HasSubstr("line 3: {% include %} is none of if, for, set"));
  EXPECT_THAT(error_of([] { ChatTemplate("{{ 'a' }}\xff"); }),
              HasSubstr("chat template: expected valid UTF-8, got byte 0xff at offset 9"));
  const ChatTemplate chat("{% for m in messages %}\n{{ m.content | shout }}{% endfor %}");
  EXPECT_THAT(error_of([&] {
                chat.render(std::vector<Message>{{"user", "x"}});
              }),
              HasSubstr("line 2: the filter 'shout' is none that this program knows: abs"));
  const ChatTemplate strict(
      "{% if messages|length < 2 %}\n{{ raise_exception('two!') }}{% endif %}");
  EXPECT_THAT(error_of([&] { strict.render({}); }), HasSubstr("chat template, line 2: two!"));
  const ChatTemplate needs("\n{{ messages[0].content + '.' }}");
  EXPECT_THAT(error_of([&] {
                needs.render(std::vector<Message>{{"user", {}}});
              }),
              HasSubstr("line 2: 'content' is undefined"));
}

TEST(ChatTemplate, MessagesMustBeText) {
  const ChatTemplate chat(chatml);
  EXPECT_THAT(error_of([&] {
                chat.render(std::vector<Message>{{"user", "a"}, {"user", "\xff"}});
              }),
              HasSubstr("content of message 1: expected valid UTF-8"));
  EXPECT_THAT(error_of([&] {
                chat.render(std::vector<Message>{{"user", "a", {1}}});
              }),
              HasSubstr("fields of message 0: expected an object, got array"));
}

TEST(ChatTurns, AreContentAndEndToken) {
  EXPECT_THAT(turns(chatml, conversation()), ElementsAre("Hello!<|im_end|>", "So long.<|im_end|>"));
  EXPECT_THAT(turns(chatml, {{"user", "Hi"}}), ElementsAre());
  EXPECT_THAT(turns(chatml, {{"assistant", ""}}), ElementsAre("<|im_end|>"));
  EXPECT_THAT(turns(chatml, {{"assistant", "a"}, {"assistant", "b"}}),
              ElementsAre("a<|im_end|>", "b<|im_end|>"));
}

TEST(ChatTurns, MayContainAnEndToken) {
  EXPECT_THAT(turns(chatml, {{"user", "Hi"}, {"assistant", "a<|im_end|>b"}, {"user", "c"}}),
              ElementsAre("a<|im_end|>b<|im_end|>"));
}

TEST(ChatTurns, WithoutAnEndTokenGoUpToTheNextMessage) {
  EXPECT_THAT(turns(chatml, {{"assistant", "a"}, {"user", "b"}}, {"</s>"}),
              ElementsAre("a<|im_end|>\n"));
  EXPECT_THAT(turns(chatml, {{"assistant", "a"}, {"user", "b"}}, {}), ElementsAre("a<|im_end|>\n"));
}

TEST(ChatTurns, AreWhereTheTemplateMarksThem) {
  const std::string marked =
      "{% for m in messages %}[{% if m.role == 'assistant' %}{% generation %}{{ m.content }};"
      "{% endgeneration %}{% else %}{{ m.content }}{% endif %}]{% endfor %}";
  EXPECT_THAT(turns(marked, conversation(), {}), ElementsAre("Hello!;", "So long.;"));
  EXPECT_THAT(
      error_of([] {
        ChatTemplate("{% set x %}{% generation %}a{% endgeneration %}{% endset %}").render({});
      }),
      HasSubstr("{% generation %} within a macro or a set"));
}

TEST(ChatTurns, AreFoundWhereOlderThoughtsAreLeftOut) {
  const std::string forgets =
      "{% for m in messages %}<{{ m.role }}>{{ m.content if loop.last else "
      "m.content.split('</think>')[-1] }}<|im_end|>{% endfor %}{% if add_generation_prompt %}"
      "<assistant>{% endif %}";
  EXPECT_THAT(turns(forgets, {{"user", "a"},
                              {"assistant", "hm</think>b"},
                              {"user", "c"},
                              {"assistant", "hm</think>d"}}),
              ElementsAre("b<|im_end|>", "hm</think>d<|im_end|>"));
}

TEST(ChatTurns, ThatCannotBeFoundAreAnError) {
  // A default system message, which the prompt before an assistant's first turn lacks.
  const std::string defaults = "{% if messages %}<system>{% endif %}" + chatml;
  EXPECT_THAT(error_of([&] {
                turns(defaults, {{"assistant", "a"}});
              }),
              HasSubstr("message 0 of a chat: the text before it, as a prompt: expected the "
                        "beginning of the whole conversation"));
  const std::string rewrites =
      "{% for m in messages %}{{ m.content }}{{ messages|length }}{% endfor %}";
  EXPECT_THAT(error_of([&] {
                turns(rewrites, {{"assistant", "a"}, {"user", "b"}});
              }),
              HasSubstr("message 0 of a chat: expected one of the end tokens behind it, got none"));
}

TEST(EncodeChat, CountsTheTokensOfTheAssistant) {
  const ByteLevelBpe tokenizer(test::small_bpe(
      {{"\n", "\n"}, {"H", "i"}}, {{.content = "<|im_start|>", .kind = TokenKind::special},
                                   {.content = "<|im_end|>", .kind = TokenKind::end}}));
  EXPECT_THAT(end_texts(tokenizer), ElementsAre("<|im_end|>"));
  const ChatText chat = ChatTemplate(chatml).render_turns(
      std::vector<Message>{{"user", "Hi"}, {"assistant", "\nHi"}}, end_texts(tokenizer));
  const ChatTokens tokens = encode_chat(tokenizer, chat);
  EXPECT_EQ(tokenizer.decode(tokens.ids, SpecialTokens::keep), chat.text);
  ASSERT_EQ(tokens.assistant.size(), 1U);
  const auto [begin, end] = tokens.assistant[0];
  const std::vector<int64_t> turn(tokens.ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                  tokens.ids.begin() + static_cast<std::ptrdiff_t>(end));
  // The line ends before and in the turn are not one token, as they are not when it is generated.
  EXPECT_EQ(test::tokens_of(tokenizer.vocabulary(), turn),
            (std::vector<std::string>{"\n", "Hi", "<|im_end|>"}));
  for (size_t i = 0; i < tokens.ids.size(); ++i)
    EXPECT_EQ(tokens.counted[i], i >= begin && i < end);
}

TEST(EncodeChat, RefusesTurnsOutsideTheText) {
  const auto tokenizer = CharacterTokenizer::from_corpus("abc");
  const auto refused = [&](std::vector<TextRange> ranges) {
    EXPECT_THAT(error_of([&] {
                  encode_chat(tokenizer, ChatText{"abc", ranges});
                }),
                HasSubstr("ChatText::assistant: expected ranges in order within the text"));
  };
  refused({{1, 4}});
  refused({{2, 1}});
  refused({{1, 2}, {1, 3}});
}

TEST(MessagesFrom, ReadsWhatAFileHolds) {
  const auto messages = messages_from(nlohmann::ordered_json::parse(
      R"([{"role": "user", "content": "Hi", "weight": 1},
          {"content": null, "role": "assistant", "tool_calls": []}, {"role": "tool"}])"));
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0].content, "Hi");
  EXPECT_EQ(messages[0].fields.dump(), R"({"weight":1})");
  EXPECT_EQ(messages[1].fields.dump(), R"({"content":null,"tool_calls":[]})");
  EXPECT_EQ(messages[2].content, std::nullopt);
}

TEST(MessagesFrom, NamesWhatIsNoMessage) {
  const auto refused = [](const char* text, const std::string& message) {
    const auto parsed = nlohmann::ordered_json::parse(text);
    EXPECT_THAT(error_of([&] { messages_from(parsed, "row 3"); }), HasSubstr(message));
  };
  refused(R"({"role": "user"})", "row 3: expected an array of messages, got object");
  refused(R"([{"role": "user"}, "Hi"])", "row 3[1]: expected an object, got string");
  refused(R"([{"content": "Hi"}])", "row 3[0].role: expected a string, got none");
  refused(R"([{"role": 1}])", "row 3[0].role: expected a string, got number");
}

}  // namespace
}  // namespace rlhf
