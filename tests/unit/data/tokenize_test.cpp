#include "rlhf/data/tokenize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/letters.hpp"

namespace rlhf::data {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Demonstration> demonstrations{{.prompt = "ab", .completion = "c"},
                                                {.prompt = "d", .completion = "efg"}};

TEST(Tokenize, PutsBosBeforePromptsAndTheEndTokenAfterResponses) {
  const Completions c = tokenize(Letters{}, demonstrations, {.bos = 99});
  c.validate();
  EXPECT_THAT(c.prompt(0), ElementsAre(99, 1, 2));
  EXPECT_THAT(c.response(0), ElementsAre(3, 0));
  EXPECT_THAT(c.response(1), ElementsAre(5, 6, 7, 0));
  EXPECT_THAT(int64_vector(*c.ids), ElementsAre(0, 1));
}

TEST(Tokenize, LeavesBothOutWhenNotAskedFor) {
  const Completions c = tokenize(Letters{}, demonstrations, {.end = EndToken::none});
  EXPECT_THAT(c.prompt(0), ElementsAre(1, 2));
  EXPECT_THAT(c.response(0), ElementsAre(3));
}

TEST(Tokenize, PromptsHaveEmptyResponses) {
  const Completions c = tokenize(Letters{}, std::vector<Prompt>{{.prompt = "ab"}, {.prompt = "c"}});
  c.validate();
  EXPECT_THAT(c.prompt(1), ElementsAre(3));
  EXPECT_THAT(int64_vector(c.response_lengths), ElementsAre(0, 0));
}

TEST(Tokenize, AllResponsesOfARankingShareItsId) {
  const std::vector<Ranking> rows{{.prompt = "a", .responses = {"b", "cc", "d"}},
                                  {.prompt = "e", .responses = {"f", "g"}}};
  const Rankings r = tokenize(Letters{}, rows);
  r.validate();
  EXPECT_THAT(int64_vector(r.group_sizes), ElementsAre(3, 2));
  EXPECT_THAT(int64_vector(*r.completions.ids), ElementsAre(0, 0, 0, 1, 1));
  EXPECT_THAT(r.completions.response(1), ElementsAre(3, 3, 0));
  EXPECT_FALSE(r.ranks);
}

TEST(Tokenize, ARankingWithoutRanksAmongRankedOnesIsStrictlyOrdered) {
  const std::vector<Ranking> rows{{.prompt = "a", .responses = {"b", "c"}, .ranks = {{5, 5}}},
                                  {.prompt = "e", .responses = {"f", "g"}}};
  EXPECT_THAT(int64_vector(*tokenize(Letters{}, rows).ranks), ElementsAre(5, 5, 0, 1));
}

TEST(Tokenize, ATooLongRowIsAnErrorThatNamesIt) {
  EXPECT_THAT(
      error_of([] { tokenize(Letters{}, demonstrations, {.max_tokens = 4}); }),
      HasSubstr("row 1: tokens of prompt and response: expected <= 4 (max_tokens), got 1 + 4"));
}

TEST(Tokenize, ATooLongRowMayBeDroppedAndIdsStillCountIt) {
  const std::vector<Demonstration> rows{demonstrations[1], demonstrations[0]};
  const Completions c = tokenize(Letters{}, rows, {.max_tokens = 4, .too_long = TooLong::drop});
  EXPECT_THAT(int64_vector(*c.ids), ElementsAre(1));
  EXPECT_THAT(c.prompt(0), ElementsAre(1, 2));
}

TEST(Tokenize, ATooLongRankingIsDroppedWhole) {
  const std::vector<Ranking> rows{{.prompt = "a", .responses = {"b", "ccccc"}},
                                  {.prompt = "e", .responses = {"f", "g"}, .ranks = {{1, 2}}}};
  const Rankings r = tokenize(Letters{}, rows, {.max_tokens = 4, .too_long = TooLong::drop});
  r.validate();
  EXPECT_THAT(int64_vector(r.group_sizes), ElementsAre(2));
  EXPECT_THAT(int64_vector(*r.completions.ids), ElementsAre(1, 1));
  EXPECT_THAT(int64_vector(*r.ranks), ElementsAre(1, 2));
}

TEST(Tokenize, ATruncatedResponseLosesItsEndToken) {
  const Completions c = tokenize(Letters{}, demonstrations,
                                 {.max_tokens = 4, .too_long = TooLong::truncate_response});
  EXPECT_THAT(c.response(0), ElementsAre(3, 0));
  EXPECT_THAT(c.response(1), ElementsAre(5, 6, 7));
}

TEST(Tokenize, APromptThatLeavesNoRoomIsAnErrorThatNamesIt) {
  const std::vector<Demonstration> rows{
      {.prompt = "abcd", .completion = "e", .source = "f.jsonl:3"}};
  for (TooLong policy : {TooLong::error, TooLong::truncate_response}) {
    EXPECT_THAT(error_of([&] { tokenize(Letters{}, rows, {.max_tokens = 4, .too_long = policy}); }),
                HasSubstr("f.jsonl:3: tokens of the prompt: expected < 4 (max_tokens), got 4"));
  }
  const std::vector<Prompt> prompts{{.prompt = "abcd"}, {.prompt = "abcde"}};
  EXPECT_THAT(error_of([&] { tokenize(Letters{}, prompts, {.max_tokens = 4}); }),
              HasSubstr("row 1: tokens of the prompt: expected <= 4 (max_tokens), got 5"));
}

TEST(Tokenize, TextOfNoTokensIsAnError) {
  const std::vector<Demonstration> no_response{{.prompt = "a", .completion = "!"}};
  EXPECT_THAT(error_of([&] { tokenize(Letters{}, no_response); }),
              HasSubstr("row 0: tokens of the response: expected >= 1, got 0"));
  const std::vector<Prompt> no_prompt{{.prompt = "!"}};
  EXPECT_THAT(error_of([&] { tokenize(Letters{}, no_prompt); }),
              HasSubstr("row 0: tokens of the prompt: expected >= 1, got 0"));
  EXPECT_THAT(tokenize(Letters{}, no_prompt, {.bos = 9}).prompt(0), ElementsAre(9));
}

TEST(Tokenize, NoRowsAreEmptyData) {
  EXPECT_THAT(error_of([] { tokenize(Letters{}, std::vector<Prompt>{}); }),
              HasSubstr("empty data: no rows"));
  EXPECT_THAT(error_of([] {
                tokenize(Letters{}, demonstrations, {.max_tokens = 1, .too_long = TooLong::drop});
              }),
              HasSubstr("empty data: all 2 rows were dropped as too long"));
}

TEST(Tokenize, ChecksRankingsMadeInMemory) {
  const std::vector<Ranking> rows{{.prompt = "a", .responses = {"b"}}};
  EXPECT_THAT(error_of([&] { tokenize(Letters{}, rows); }),
              HasSubstr("row 0: number of responses: expected >= 2, got 1"));
}

TEST(Tokenize, NamesOptionsThatCannotWork) {
  EXPECT_THAT(
      error_of([] { tokenize(Letters{}, demonstrations, {.too_long = TooLong{3}}); }),
      HasSubstr("TokenizeOptions::too_long: expected error, drop or truncate_response, got 3"));
  EXPECT_THAT(error_of([] { tokenize(Letters{}, demonstrations, {.end = EndToken{2}}); }),
              HasSubstr("TokenizeOptions::end: expected append or none, got 2"));
  EXPECT_THAT(error_of([] { tokenize(Letters{}, demonstrations, {.max_tokens = -1}); }),
              HasSubstr("TokenizeOptions::max_tokens: expected >= 0, got -1"));
  EXPECT_THAT(error_of([] { tokenize(Letters{}, demonstrations, {.bos = -2}); }),
              HasSubstr("TokenizeOptions::bos: expected >= 0, got -2"));
  EXPECT_THAT(error_of([] { tokenize(Letters{.ends = {}}, demonstrations); }),
              HasSubstr("end_tokens() of the tokenizer: expected one to append, got none"));
}

}  // namespace
}  // namespace rlhf::data
