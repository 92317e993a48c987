#include "rlhf/data/rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::data {
namespace {

using nlohmann::json;
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

template <DataRow Row>
auto reading(std::string text) {
  return [text = std::move(text)] { row<Row>(text); };
}

auto says(const std::string& part) {
  return HasSubstr("rows.jsonl:7: " + part);
}

TEST(Rows, ADemonstrationKeepsItsFurtherFields) {
  const auto d =
      row<Demonstration>(R"({"prompt": "p", "completion": "c", "city": "Rome", "n": [1]})");
  EXPECT_EQ(d.prompt, "p");
  EXPECT_EQ(d.completion, "c");
  EXPECT_EQ(d.extra, json::parse(R"({"city": "Rome", "n": [1]})"));
  EXPECT_EQ(d.source, "rows.jsonl:7");
}

TEST(Rows, ARankingIsReadInEitherForm) {
  const auto ranked = row<Ranking>(
      R"({"prompt": "p", "responses": ["a", "b", "c"], "ranks": [1, 1, 4], "by": "x"})");
  EXPECT_THAT(ranked.responses, ElementsAre("a", "b", "c"));
  EXPECT_THAT(ranked.ranks, Optional(ElementsAre(1, 1, 4)));
  EXPECT_EQ(ranked.extra, json::parse(R"({"by": "x"})"));

  const auto pair = row<Ranking>(R"({"prompt": "p", "chosen": "good", "rejected": "bad"})");
  EXPECT_THAT(pair.responses, ElementsAre("good", "bad"));
  EXPECT_EQ(pair.ranks, std::nullopt);
  EXPECT_EQ(pair.extra, json::object());
}

TEST(Rows, APromptKeepsItsGoldAnswer) {
  EXPECT_EQ(row<Prompt>(R"({"prompt": "p", "answer": "a"})").extra.at("answer"), "a");
}

TEST(Rows, FieldsMayHaveOtherNames) {
  const auto d = row_from<Demonstration>(json{{"question", "q"}, {"answer", "a"}},
                                         {.prompt = "question", .completion = "answer"}, "x:1");
  EXPECT_EQ(d.prompt, "q");
  EXPECT_EQ(d.completion, "a");
}

TEST(Rows, AMissingFieldIsNamedAmongThoseThere) {
  EXPECT_THAT(error_of(reading<Demonstration>(R"({"prompt": "p", "text": "c"})")),
              says(R"(field "completion": expected a string, got no such field among ["text"])"));
}

TEST(Rows, AWrongTypeIsNamed) {
  EXPECT_THAT(error_of(reading<Prompt>(R"([1])")), says("row: expected an object, got array"));
  EXPECT_THAT(error_of(reading<Prompt>(R"({"prompt": 3})")),
              says(R"(field "prompt": expected a string, got number)"));
  EXPECT_THAT(error_of(reading<Ranking>(R"({"prompt": "p", "responses": "a"})")),
              says(R"(field "responses": expected an array, got string)"));
  EXPECT_THAT(error_of(reading<Ranking>(R"({"prompt": "p", "responses": ["a", null]})")),
              says(R"(field "responses", item 1: expected a string, got null)"));
  EXPECT_THAT(
      error_of(reading<Ranking>(R"({"prompt": "p", "responses": ["a", "b"], "ranks": [1, 1.5]})")),
      says(R"(field "ranks", item 1: expected an integer of 64 bits, got 1.5)"));
  EXPECT_THAT(
      error_of(reading<Ranking>(
          R"({"prompt": "p", "responses": ["a", "b"], "ranks": [1, 9223372036854775808]})")),
      says(R"(field "ranks", item 1: expected an integer of 64 bits, got 9223372036854775808)"));
}

TEST(Rows, EmptyTextIsAnError) {
  EXPECT_THAT(error_of(reading<Prompt>(R"({"prompt": ""})")),
              says(R"(field "prompt": expected some text, got an empty string)"));
  EXPECT_THAT(error_of(reading<Demonstration>(R"({"prompt": "p", "completion": ""})")),
              says(R"(field "completion": expected some text, got an empty string)"));
  EXPECT_THAT(error_of(reading<Ranking>(R"({"prompt": "p", "responses": ["a", ""]})")),
              says(R"(field "responses", item 1: expected some text, got an empty string)"));
}

TEST(Rows, ARankingThatDoesNotHoldTogetherIsAnError) {
  EXPECT_THAT(error_of(reading<Ranking>(R"({"prompt": "p", "responses": ["a"]})")),
              says("number of responses: expected >= 2, got 1"));
  EXPECT_THAT(
      error_of(reading<Ranking>(R"({"prompt": "p", "responses": ["a", "b"], "ranks": [1, 2, 3]})")),
      says("number of ranks: expected 2, one a response, got 3"));
  EXPECT_THAT(error_of(reading<Ranking>(
                  R"({"prompt": "p", "responses": ["a", "b", "c"], "ranks": [1, 3, 2]})")),
              says("rank of response 2: expected >= 3, as the best come first, got 2"));
  EXPECT_THAT(
      error_of(reading<Ranking>(R"({"prompt": "p", "responses": ["a", "b", "a"]})")),
      says("response 2: expected one that differs from all others, got the same as response 0"));
  EXPECT_THAT(error_of(reading<Ranking>(R"({"prompt": "p", "chosen": "a", "rejected": "a"})")),
              says("response 1: expected one that differs"));
  EXPECT_THAT(
      error_of(reading<Ranking>(R"({"prompt": "p", "responses": ["a", "b"], "chosen": "a"})")),
      says(R"(row: expected either "responses" or "chosen" and "rejected", got both)"));
}

TEST(RowReader, StreamsRowsAndNamesTheLineOfABadOne) {
  const WrittenFile file("{\"prompt\": \"p\", \"a\": 1}\n\n{\"prompt\": 2}\n");
  RowReader<Prompt> reader(file.path());
  const auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->prompt, "p");
  EXPECT_THAT(first->source, EndsWith(".jsonl:1"));
  EXPECT_THAT(error_of([&] { reader.next(); }),
              HasSubstr(file.path() + R"(:3: field "prompt": expected a string)"));
}

TEST(RowReader, ReadsRealDemonstrations) {
  const std::string path = RLHF_DATA_DIR "/demonstrations/gsm8k_test.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto rows =
      read_all<Demonstration>(path, {.fields = {.prompt = "question", .completion = "answer"}});
  ASSERT_EQ(rows.size(), 1319U);
  // The file spells the apostrophe as the escape \u2019.
  EXPECT_THAT(rows[0].prompt, testing::StartsWith("Janet\u2019s ducks lay 16 eggs per day."));
  EXPECT_THAT(rows[0].completion, EndsWith("#### 18"));
}

TEST(ExtrasOf, IsOneEntryARow) {
  const std::vector<Prompt> rows{{.prompt = "p", .extra = {{"answer", "a"}}}, {.prompt = "q"}};
  EXPECT_THAT(extras_of(rows), ElementsAre(json{{"answer", "a"}}, json::object()));
}

}  // namespace
}  // namespace rlhf::data
