// Rows that are no row of their kind, and all that is said of each.
#include <gtest/gtest.h>

#include "rlhf/data/rows.hpp"
#include "support/error_of.hpp"
#include "support/malformed.hpp"

namespace rlhf::data {
namespace {

using test::Malformed;

template <DataRow Row>
std::string said_of(const std::string& text) {
  return test::message_of(
      [&] { row_from<Row>(nlohmann::ordered_json::parse(text), {}, "rows.jsonl:7"); });
}

class MalformedDemonstration : public testing::TestWithParam<Malformed> {};
class MalformedRanking : public testing::TestWithParam<Malformed> {};
class MalformedUnpairedPreference : public testing::TestWithParam<Malformed> {};
class MalformedPrompt : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedDemonstration, IsRefused) {
  EXPECT_EQ(said_of<Demonstration>(GetParam().bytes), "rows.jsonl:7: " + GetParam().message);
}
TEST_P(MalformedRanking, IsRefused) {
  EXPECT_EQ(said_of<Ranking>(GetParam().bytes), "rows.jsonl:7: " + GetParam().message);
}
TEST_P(MalformedUnpairedPreference, IsRefused) {
  EXPECT_EQ(said_of<UnpairedPreference>(GetParam().bytes), "rows.jsonl:7: " + GetParam().message);
}
TEST_P(MalformedPrompt, IsRefused) {
  EXPECT_EQ(said_of<Prompt>(GetParam().bytes), "rows.jsonl:7: " + GetParam().message);
}

const std::string demonstrations =
    R"(fields of the row: expected "text" | "messages" | "prompt", "completion", got )";

INSTANTIATE_TEST_SUITE_P(
    Rows, MalformedDemonstration,
    testing::Values(
        Malformed{"NoObject", "[1]", "row: expected an object, got array"},
        Malformed{"NoField", "{}", demonstrations + "no field"},
        Malformed{"UnknownFields", R"({"question": "q", "answer": "a"})",
                  demonstrations + R"(none of them among "question", "answer")"},
        Malformed{
            "ManyUnknownFields", R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1})",
            demonstrations + R"(none of them among "a", "b", "c", "d", "e", "f", "g", "h", ...)"},
        Malformed{"NoCompletion", R"({"prompt": "p", "answer": "a"})",
                  demonstrations + R"("prompt")"},
        Malformed{"NoPrompt", R"({"completion": "c"})", demonstrations + R"("completion")"},
        Malformed{"TextAndPrompt", R"({"prompt": "p", "completion": "c", "text": "pc"})",
                  demonstrations + R"("text", "prompt", "completion")"},
        Malformed{"TextAndMessages", R"({"text": "t", "messages": []})",
                  demonstrations + R"("text", "messages")"},
        Malformed{"Preference", R"({"prompt": "p", "chosen": "c", "rejected": "r"})",
                  demonstrations + R"("prompt", "chosen", "rejected")"},
        Malformed{"UnpairedPreference", R"({"prompt": "p", "completion": "c", "label": false})",
                  demonstrations + R"("prompt", "completion", "label")"},
        Malformed{"NumberForText", R"({"text": 3})",
                  R"(field "text": expected a string, got number)"},
        Malformed{"ListForText", R"({"text": ["a"]})",
                  R"(field "text": expected a string, got array)"},
        Malformed{"TextForMessages", R"({"messages": "Hi"})",
                  R"(field "messages": expected an array of messages, got string)"},
        Malformed{"NumberForPrompt", R"({"prompt": 3, "completion": "c"})",
                  R"(field "prompt": expected a string or an array of messages, got number)"},
        Malformed{"NullForCompletion", R"({"prompt": "p", "completion": null})",
                  R"(field "completion": expected a string or an array of messages, got null)"},
        Malformed{
            "MessagesBesideText",
            R"({"prompt": "p", "completion": [{"role": "assistant", "content": "c"}]})",
            R"(field "completion": expected a string, as "prompt" is, got an array of messages)"},
        Malformed{
            "TextBesideMessages",
            R"({"prompt": [{"role": "user", "content": "c"}], "completion": "c"})",
            R"(field "completion": expected an array of messages, as "prompt" is, got a string)"},
        Malformed{"EmptyText", R"({"text": ""})",
                  R"(field "text": expected some text, got an empty string)"},
        Malformed{"EmptyCompletion", R"({"prompt": "p", "completion": ""})",
                  R"(field "completion": expected some text, got an empty string)"},
        Malformed{"NoMessages", R"({"messages": []})",
                  R"(field "messages": expected at least one message, got none)"},
        Malformed{"MessageThatIsText", R"({"messages": ["Hi"]})",
                  R"(field "messages"[0]: expected an object, got string)"},
        Malformed{"NoRole",
                  R"({"messages": [{"role": "user", "content": "a"}, {"content": "Hi"}]})",
                  R"(field "messages"[1].role: expected a string, got none)"},
        Malformed{"OldRoles", R"({"messages": [{"from": "human", "value": "Hi"}]})",
                  R"(field "messages"[0].role: expected a string, got none)"},
        Malformed{"RoleThatIsNoText", R"({"messages": [{"role": null, "content": "Hi"}]})",
                  R"(field "messages"[0].role: expected a string, got null)"},
        Malformed{"NoContent", R"({"messages": [{"role": "user", "text": "Hi"}]})",
                  R"(field "messages"[0]: expected content, got none)"},
        Malformed{"NullContent", R"({"messages": [{"role": "user", "content": null}]})",
                  R"(field "messages"[0]: expected content, got none)"},
        Malformed{
            "SilentAssistant", R"({"messages": [{"role": "assistant", "content": null}]})",
            R"(field "messages"[0]: expected content, or another field in its place, got none)"},
        Malformed{"NoAssistant", R"({"messages": [{"role": "user", "content": "Hi"}]})",
                  R"(field "messages": expected at least one message of the assistant, got none)"},
        Malformed{
            "CompletionOfTheUser",
            R"({"prompt": [{"role": "user", "content": "a"}],
                "completion": [{"role": "user", "content": "b"}]})",
            R"(field "completion": expected at least one message of the assistant, got none)"},
        Malformed{"PromptThatEndsWithTheAssistant",
                  R"({"prompt": [{"role": "assistant", "content": "a"}],
                      "completion": [{"role": "assistant", "content": "b"}]})",
                  R"(field "prompt": role of the last message: expected another than that which )"
                  "responds, got assistant"}),
    test::name_of_row);

const std::string rankings =
    R"(fields of the row: expected "prompt", "chosen", "rejected" | "prompt", "responses" | )"
    R"("chosen", "rejected", got )";

INSTANTIATE_TEST_SUITE_P(
    Rows, MalformedRanking,
    testing::Values(
        Malformed{"NoRejected", R"({"prompt": "p", "chosen": "c"})",
                  rankings + R"("prompt", "chosen")"},
        Malformed{"Both", R"({"prompt": "p", "responses": ["a", "b"], "chosen": "a"})",
                  rankings + R"("prompt", "chosen", "responses")"},
        Malformed{"RankedWithoutPrompt", R"({"responses": ["a", "b"]})",
                  rankings + R"("responses")"},
        Malformed{"Demonstration", R"({"prompt": "p", "completion": "c"})",
                  rankings + R"("prompt", "completion")"},
        Malformed{"TextPromptOfConversations",
                  R"({"prompt": "p", "chosen": [{"role": "assistant", "content": "c"}],
                "rejected": [{"role": "assistant", "content": "r"}]})",
                  R"(field "chosen": expected a string, as "prompt" is, got an array of messages)"},
        Malformed{
            "OneOfEach", R"({"chosen": [{"role": "assistant", "content": "c"}], "rejected": "r"})",
            R"(field "rejected": expected an array of messages, as "chosen" is, got a string)"},
        Malformed{"ResponsesThatAreText", R"({"prompt": "p", "responses": "a"})",
                  R"(field "responses": expected an array, got string)"},
        Malformed{"ResponseThatIsNull", R"({"prompt": "p", "responses": ["a", null]})",
                  R"(field "responses", item 1: expected a string, got null)"},
        Malformed{"TextAmongConversations",
                  R"({"prompt": [{"role": "user", "content": "a"}], "responses": ["a", "b"]})",
                  R"(field "responses", item 0: expected an array of messages, got string)"},
        Malformed{"EmptyResponse", R"({"prompt": "p", "responses": ["a", ""]})",
                  R"(field "responses", item 1: expected some text, got an empty string)"},
        Malformed{"SilentResponse",
                  R"({"prompt": [{"role": "user", "content": "a"}], "responses": [[], []]})",
                  R"(field "responses", item 0: expected at least one message, got none)"},
        Malformed{"BrokenRank", R"({"prompt": "p", "responses": ["a", "b"], "ranks": [1, 1.5]})",
                  R"(field "ranks", item 1: expected an integer of 64 bits, got 1.5)"},
        Malformed{"HugeRank",
                  R"({"prompt": "p", "responses": ["a", "b"], "ranks": [1, 9223372036854775808]})",
                  R"(field "ranks", item 1: expected an integer of 64 bits, got )"
                  "9223372036854775808"},
        Malformed{"One", R"({"prompt": "p", "responses": ["a"]})",
                  "number of responses: expected >= 2, got 1"},
        Malformed{"TooManyRanks", R"({"prompt": "p", "responses": ["a", "b"], "ranks": [1, 2, 3]})",
                  "number of ranks: expected 2, one a response, got 3"},
        Malformed{"FallingRanks",
                  R"({"prompt": "p", "responses": ["a", "b", "c"], "ranks": [1, 3, 2]})",
                  "rank of response 2: expected >= 3, as the best come first, got 2"},
        Malformed{"Twins", R"({"prompt": "p", "responses": ["a", "b", "a"]})",
                  "response 2: expected one that differs from all others, got the same as "
                  "response 0"},
        Malformed{"ConversationsThatAreTwins",
                  R"({"chosen": [{"role": "user", "content": "a"},
                                 {"role": "assistant", "content": "b"}],
                      "rejected": [{"role": "user", "content": "a"},
                                   {"content": "b", "role": "assistant"}]})",
                  "response 1: expected one that differs from all others, got the same as "
                  "response 0"},
        Malformed{"NothingInCommon", R"({"chosen": "yes", "rejected": "no"})",
                  R"(field "chosen" and "rejected": expected a common beginning, which is the )"
                  "prompt, got none"},
        Malformed{"OnlyASpaceInCommon", R"({"chosen": " yes", "rejected": " no"})",
                  R"(field "chosen" and "rejected": expected a common beginning, which is the )"
                  "prompt, got none"},
        Malformed{"NoMessageInCommon",
                  R"({"chosen": [{"role": "assistant", "content": "a"}],
                      "rejected": [{"role": "assistant", "content": "b"}]})",
                  R"(field "chosen" and "rejected": expected a common beginning, which is the )"
                  "prompt, got none"},
        Malformed{"OnlyTheUserDiffers",
                  R"({"chosen": [{"role": "assistant", "content": "a"},
                                 {"role": "user", "content": "x"}],
                      "rejected": [{"role": "assistant", "content": "a"},
                                   {"role": "user", "content": "y"}]})",
                  R"(field "chosen" and "rejected" behind their common beginning: expected at )"
                  "least one message of the assistant, got none"}),
    test::name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Rows, MalformedUnpairedPreference,
    testing::Values(Malformed{"NoLabel", R"({"prompt": "p", "completion": "c"})",
                              R"(fields of the row: expected "prompt", "completion", "label", got )"
                              R"("prompt", "completion")"},
                    Malformed{"LabelThatIsANumber",
                              R"({"prompt": "p", "completion": "c", "label": 1})",
                              R"(field "label": expected true or false, got number)"}),
    test::name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Rows, MalformedPrompt,
    testing::Values(
        Malformed{"NoPrompt", R"({"text": "t"})",
                  R"(fields of the row: expected "prompt", got none of them among "text")"},
        Malformed{"Empty", R"({"prompt": ""})",
                  R"(field "prompt": expected some text, got an empty string)"},
        Malformed{"Number", R"({"prompt": 3})",
                  R"(field "prompt": expected a string or an array of messages, got number)"},
        Malformed{"EndsWithTheAssistant", R"({"prompt": [{"role": "assistant", "content": "a"}]})",
                  R"(field "prompt": role of the last message: expected another than that which )"
                  "responds, got assistant"}),
    test::name_of_row);

TEST(KindOf, NamesAllTypesWhereNoneFits) {
  EXPECT_EQ(test::message_of([] {
              kind_of({{"prompt", "p"}, {"text", "t"}}, {}, "x.jsonl:1");
            }),
            R"(x.jsonl:1: fields of the row: expected "text" | "messages" | "prompt", )"
            R"("completion" | "prompt", "chosen", "rejected" | "prompt", "responses" | "chosen", )"
            R"("rejected" | "prompt", "completion", "label" | "prompt", got "text", "prompt")");
}

TEST(KindOf, TellsEachTypeAndFormat) {
  const auto kind = [](const char* row) {
    return name_of(kind_of(nlohmann::ordered_json::parse(row), {}, "x.jsonl:1"));
  };
  EXPECT_EQ(kind(R"({"text": "t"})"), "language modelling in the standard format");
  EXPECT_EQ(kind(R"({"messages": []})"), "language modelling in the conversational format");
  EXPECT_EQ(kind(R"({"prompt": "p", "x": 1})"), "prompt-only in the standard format");
  EXPECT_EQ(kind(R"({"prompt": [], "completion": []})"),
            "prompt-completion in the conversational format");
  EXPECT_EQ(kind(R"({"prompt": "p", "completion": "c", "label": true})"),
            "unpaired preference in the standard format");
  EXPECT_EQ(kind(R"({"prompt": "p", "chosen": "c", "rejected": "r"})"),
            "preference in the standard format");
  EXPECT_EQ(kind(R"({"prompt": [], "responses": []})"), "preference in the conversational format");
  EXPECT_EQ(kind(R"({"chosen": [], "rejected": []})"),
            "preference with implicit prompt in the conversational format");
}

}  // namespace
}  // namespace rlhf::data
