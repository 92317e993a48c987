#include "rlhf/data/rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::data {
namespace {

using json = nlohmann::ordered_json;
using test::error_of;
using test::WrittenFile;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Optional;

template <DataRow Row>
Row row(std::string_view text) {
  return row_from<Row>(json::parse(text), {}, "rows.jsonl:7");
}

/// The role and content of each message, or the text.
std::string shown(const Content& content) {
  if (const auto* text = std::get_if<std::string>(&content)) return *text;
  std::string all;
  for (const Message& message : std::get<Conversation>(content)) {
    all += "[" + message.role + ": " + message.content.value_or("-") +
           (message.fields.empty() ? "" : " " + message.fields.dump()) + "]";
  }
  return all;
}

std::vector<std::string> shown(const std::vector<Content>& contents) {
  std::vector<std::string> all;
  for (const Content& content : contents) all.push_back(shown(content));
  return all;
}

TEST(Rows, ADemonstrationKeepsItsFurtherFieldsInOrder) {
  const auto d = row<Demonstration>(
      R"({"n": [1], "prompt": "p", "completion": "c", "city": "Rome", "ranks": 1})");
  EXPECT_EQ(shown(*d.prompt), "p");
  EXPECT_EQ(shown(d.completion), "c");
  EXPECT_EQ(d.extra.dump(), R"({"n":[1],"city":"Rome","ranks":1})");
  EXPECT_EQ(d.source, "rows.jsonl:7");
}

TEST(Rows, LanguageModellingHasNoPrompt) {
  const auto text = row<Demonstration>(R"({"text": "All of it.", "label": 3})");
  EXPECT_EQ(text.prompt, std::nullopt);
  EXPECT_EQ(shown(text.completion), "All of it.");
  EXPECT_EQ(text.extra.dump(), R"({"label":3})") << "a label tells only beside a completion";
  const auto chat = row<Demonstration>(
      R"({"messages": [{"role": "user", "content": "Hi", "name": "Ann"},
                       {"role": "assistant", "content": "Ho"}], "tools": []})");
  EXPECT_EQ(chat.prompt, std::nullopt);
  EXPECT_EQ(shown(chat.completion), R"([user: Hi {"name":"Ann"}][assistant: Ho])");
  EXPECT_EQ(chat.extra.dump(), R"({"tools":[]})");
}

TEST(Rows, PromptAndCompletionMayBeConversations) {
  const auto d = row<Demonstration>(
      R"({"prompt": [{"role": "user", "content": "Hi"}],
          "completion": [{"role": "assistant", "content": "Ho"}]})");
  EXPECT_EQ(shown(*d.prompt), "[user: Hi]");
  EXPECT_EQ(shown(d.completion), "[assistant: Ho]");
}

TEST(Rows, ARankingIsReadInEitherForm) {
  const auto ranked = row<Ranking>(
      R"({"prompt": "p", "responses": ["a", "b", "c"], "ranks": [1, 1, 4], "by": "x"})");
  EXPECT_THAT(shown(ranked.responses), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ranked.ranks, Optional(ElementsAre(1, 1, 4)));
  EXPECT_EQ(ranked.extra.dump(), R"({"by":"x"})");

  const auto pair = row<Ranking>(R"({"prompt": "p", "chosen": "good", "rejected": "bad"})");
  EXPECT_THAT(shown(pair.responses), ElementsAre("good", "bad"));
  EXPECT_EQ(pair.ranks, std::nullopt);
  EXPECT_EQ(pair.extra.dump(), "{}");

  const auto chats = row<Ranking>(
      R"({"prompt": [{"role": "user", "content": "Hi"}], "responses": [
          [{"role": "assistant", "content": "a"}], [{"role": "assistant", "content": "b"}]]})");
  EXPECT_EQ(shown(chats.prompt), "[user: Hi]");
  EXPECT_THAT(shown(chats.responses), ElementsAre("[assistant: a]", "[assistant: b]"));
}

/// Prompt, chosen and rejected of a row with an implicit prompt.
std::vector<std::string> parts(const json& chosen, const json& rejected) {
  const auto r =
      row_from<Ranking>({{"chosen", chosen}, {"rejected", rejected}}, {}, "rows.jsonl:7");
  return {shown(r.prompt), shown(r.responses[0]), shown(r.responses[1])};
}

TEST(ImplicitPrompt, OfTextsIsTheirCommonBeginning) {
  EXPECT_THAT(parts("The sky is blue.", "The sky is green."),
              ElementsAre("The sky is", " blue.", " green."));
  EXPECT_THAT(parts("2+2=4", "2+2=5"), ElementsAre("2+2=", "4", "5"));
  EXPECT_THAT(parts("a  b", "a  c"), ElementsAre("a ", " b", " c"));
  // Where one is the beginning of the other, its last character is its response.
  EXPECT_THAT(parts("ab", "abc"), ElementsAre("a", "b", "bc"));
  EXPECT_THAT(parts("a b cd", "a b c"), ElementsAre("a b ", "cd", "c"));
}

TEST(ImplicitPrompt, IsCutBetweenCharactersNotBytes) {
  EXPECT_THAT(parts("caf\u00e9", "caf\u00e8"), ElementsAre("caf", "\u00e9", "\u00e8"));
  EXPECT_THAT(parts("x\u20ac", "x\u20ac\u20ac"), ElementsAre("x", "\u20ac", "\u20ac\u20ac"));
}

json said(const char* role, const char* content) {
  return {{"role", role}, {"content", content}};
}

TEST(ImplicitPrompt, OfConversationsIsWholeMessages) {
  const json user = said("user", "Hi"), again = said("user", "And?");
  EXPECT_THAT(parts({user, said("assistant", "Hello!")}, {user, said("assistant", "Hell.")}),
              ElementsAre("[user: Hi]", "[assistant: Hello!]", "[assistant: Hell.]"));
  EXPECT_THAT(
      parts({user, said("assistant", "a"), again, said("assistant", "b")},
            {user, said("assistant", "a"), again, said("assistant", "c")}),
      ElementsAre("[user: Hi][assistant: a][user: And?]", "[assistant: b]", "[assistant: c]"));
  // A conversation that is the other's beginning keeps its last message.
  EXPECT_THAT(
      parts({user, said("assistant", "a")},
            {user, said("assistant", "a"), again, said("assistant", "b")}),
      ElementsAre("[user: Hi]", "[assistant: a]", "[assistant: a][user: And?][assistant: b]"));
}

TEST(ImplicitPrompt, DoesNotMindTheOrderOfAMessagesFields) {
  const auto r = row<Ranking>(
      R"({"chosen": [{"role": "user", "content": "x", "a": 1, "b": 2},
                     {"role": "assistant", "content": "y"}],
          "rejected": [{"b": 2, "a": 1, "content": "x", "role": "user"},
                       {"role": "assistant", "content": "z"}]})");
  EXPECT_EQ(shown(r.prompt), R"([user: x {"a":1,"b":2}])");
}

TEST(Rows, AnUnpairedPreferenceHasALabel) {
  const auto u =
      row<UnpairedPreference>(R"({"prompt": "p", "completion": "c", "label": true, "by": "x"})");
  EXPECT_EQ(shown(u.prompt), "p");
  EXPECT_EQ(shown(u.completion), "c");
  EXPECT_TRUE(u.label);
  EXPECT_EQ(u.extra.dump(), R"({"by":"x"})");
  EXPECT_FALSE(
      row<UnpairedPreference>(R"({"prompt": "p", "completion": "c", "label": false})").label);
}

TEST(Rows, APromptKeepsItsGoldAnswer) {
  EXPECT_EQ(row<Prompt>(R"({"prompt": "p", "answer": "a"})").extra.at("answer"), "a");
  const auto chat =
      row<Prompt>(R"({"prompt": [{"role": "user", "content": "Hi"}], "completion": 3})");
  EXPECT_EQ(shown(chat.prompt), "[user: Hi]");
  EXPECT_EQ(chat.extra.dump(), R"({"completion":3})");
}

TEST(Rows, FieldsMayHaveOtherNamesOrNone) {
  const auto d = row_from<Demonstration>({{"question", "q"}, {"answer", "a"}},
                                         {.prompt = "question", .completion = "answer"}, "x:1");
  EXPECT_EQ(shown(*d.prompt), "q");
  EXPECT_EQ(shown(d.completion), "a");
  const auto chat = row_from<Demonstration>(
      {{"prompt", "unused"}, {"messages", {said("assistant", "Hi")}}}, {.prompt = ""}, "x:1");
  EXPECT_EQ(shown(chat.completion), "[assistant: Hi]");
  EXPECT_EQ(chat.extra.dump(), R"({"prompt":"unused"})");
}

TEST(Rows, AMessageMayHaveAnotherFieldForItsContent) {
  const auto d = row<Demonstration>(
      R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                       {"role": "assistant", "content": null, "tool_calls": [1]},
                       {"role": "assistant", "content": ""}]})");
  EXPECT_EQ(std::get<Conversation>(d.completion).size(), 3U);
}

TEST(RowReader, StreamsRowsAndNamesTheLineOfABadOne) {
  const WrittenFile file("{\"prompt\": \"p\", \"a\": 1}\n\n{\"prompt\": 2}\n");
  RowReader<Prompt> reader(file.path());
  const auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(shown(first->prompt), "p");
  EXPECT_THAT(first->source, EndsWith(".jsonl:1"));
  EXPECT_THAT(error_of([&] { reader.next(); }),
              HasSubstr(file.path() + R"(:3: field "prompt": expected a string)"));
}

TEST(RowReader, RefusesARowOfAnotherKindThanTheFirst) {
  const auto second = [](const std::string& first, const std::string& other) {
    const WrittenFile file(first + "\n\n" + other);
    RowReader<Demonstration> reader(file.path());
    reader.next();
    std::string message = test::message_of([&] { reader.next(); });
    for (size_t at; (at = message.find(file.path())) != message.npos;) {
      message.replace(at, file.path().size(), "F");
    }
    return message;
  };
  EXPECT_EQ(second(R"({"text": "a"})", R"({"prompt": "a", "completion": "b"})"),
            "F:3: row: expected language modelling in the standard format, as at F:1, got "
            "prompt-completion in the standard format");
  EXPECT_EQ(second(R"({"text": "a"})", R"({"messages": [{"role": "assistant", "content": "b"}]})"),
            "F:3: row: expected language modelling in the standard format, as at F:1, got language "
            "modelling in the conversational format");
}

TEST(RowReader, ReadsRealDemonstrations) {
  const std::string path = RLHF_DATA_DIR "/demonstrations/gsm8k_test.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto rows =
      read_all<Demonstration>(path, {.fields = {.prompt = "question", .completion = "answer"}});
  ASSERT_EQ(rows.size(), 1319U);
  // The file spells the apostrophe as the escape \u2019.
  EXPECT_THAT(shown(*rows[0].prompt),
              testing::StartsWith("Janet\u2019s ducks lay 16 eggs per day."));
  EXPECT_THAT(shown(rows[0].completion), EndsWith("#### 18"));
}

TEST(TextOf, RefusesAConversation) {
  EXPECT_EQ(text_of("a", "row 1"), "a");
  EXPECT_EQ(test::message_of([] {
              text_of(Conversation{{"user", "a"}}, "row 1");
            }),
            "row 1: expected text, got a conversation");
}

TEST(ExtrasOf, IsOneEntryARow) {
  const std::vector<Prompt> rows{{.prompt = "p", .extra = {{"answer", "a"}}}, {.prompt = "q"}};
  EXPECT_THAT(extras_of(rows),
              ElementsAre(nlohmann::json{{"answer", "a"}}, nlohmann::json::object()));
}

}  // namespace
}  // namespace rlhf::data
