#include "rlhf/core/completions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Completions three_rows() {
  Completions c = completions_from({{1, 2, 3}, {4}, {5, 6}}, {{7, 8}, {9, 10, 11}, {12}});
  c.ids = int64_tensor({30, 10, 20});
  return c;
}

TEST(Completions, LaysPromptsAndResponsesEndToEnd) {
  const Completions c = three_rows();
  c.validate();
  EXPECT_THAT(int64_vector(c.tokens), ElementsAre(1, 2, 3, 7, 8, 4, 9, 10, 11, 5, 6, 12));
  EXPECT_THAT(c.prompt(2), ElementsAre(5, 6));
  EXPECT_THAT(c.response(1), ElementsAre(9, 10, 11));
  EXPECT_EQ(c.id(1), 10);
}

TEST(Completions, PadsOverResponseTokensOnly) {
  const Completions c = three_rows();
  const Tensor flat = c.tokens.index_select(0, response_positions(c));
  EXPECT_THAT(int64_vector(flat), ElementsAre(7, 8, 9, 10, 11, 12));
  const Tensor padded = pad_responses(flat, c);
  EXPECT_THAT(int64_vector(padded.view(-1)), ElementsAre(7, 8, 0, 9, 10, 11, 12, 0, 0));
  EXPECT_TRUE(mask_of(c).equal(padded != 0));
  EXPECT_TRUE(flatten_responses(padded, c).equal(flat));
}

TEST(Completions, UncountedTokensAreHolesInTheMask) {
  Completions c = three_rows();
  c.counted = torch::tensor({true, true, true, false, true, true});
  EXPECT_THAT(int64_vector(mask_of(c)[1]), ElementsAre(1, 0, 1));
}

TEST(Completions, SelectKeepsIdsAndHoles) {
  Completions c = three_rows();
  c.counted = torch::tensor({true, true, true, false, true, true});
  const Completions chosen = select(c, int64_tensor({1, 1, 0}));
  chosen.validate();
  EXPECT_THAT(int64_vector(chosen.tokens), ElementsAre(4, 9, 10, 11, 4, 9, 10, 11, 1, 2, 3, 7, 8));
  EXPECT_THAT(int64_vector(*chosen.ids), ElementsAre(10, 10, 30));
  EXPECT_THAT(int64_vector(*chosen.counted), ElementsAre(1, 0, 1, 1, 0, 1, 1, 1));
}

TEST(Completions, PromptsAndResponsesComposeAgain) {
  const Completions c = three_rows();
  const Completions prompts = prompts_of(c);
  EXPECT_EQ(prompts.token_count(), 6);
  const Completions again = with_responses(prompts, responses_of(c));
  EXPECT_TRUE(again.tokens.equal(c.tokens));
  EXPECT_TRUE(again.ids->equal(*c.ids));
}

TEST(Completions, AllResponsesAreThoseOfTheRows) {
  const Completions c = completions_from({{1, 2, 3}, {4}, {5, 6}}, {{7, 8}, {}, {12}});
  EXPECT_THAT(responses_of(c), ElementsAre(c.response(0), c.response(1), c.response(2)));
  EXPECT_THAT(responses_of(prompts_of(c)), ElementsAre(IsEmpty(), IsEmpty(), IsEmpty()));
}

TEST(Completions, ConcatenateIsTheInverseOfSelect) {
  const Completions c = three_rows();
  const std::vector<Completions> parts{select(c, int64_tensor({0})),
                                       select(c, int64_tensor({1, 2}))};
  EXPECT_TRUE(concatenate(parts).tokens.equal(c.tokens));
}

TEST(Completions, ValidateNamesTheField) {
  Completions c = three_rows();
  c.prompt_lengths = int64_tensor({3, 1, 5});
  EXPECT_THAT(error_of([&] { c.validate(); }),
              HasSubstr("sum of prompt and response lengths: expected 12, got 15"));
  EXPECT_THAT(error_of([] { completions_from({{}}); }), HasSubstr("length of a prompt"));
}

TEST(Rankings, GroupsThatDoNotAddUpToTheResponsesAreAnError) {
  Rankings r{.completions = three_rows(), .group_sizes = int64_tensor({2})};
  EXPECT_THAT(error_of([&] { r.validate(); }),
              HasSubstr("sum of Rankings::group_sizes: expected 3, got 2"));
  r.group_sizes = int64_tensor({3});
  r.ranks = int64_tensor({0, 1});
  EXPECT_THAT(error_of([&] { r.validate(); }), HasSubstr("Rankings::ranks: expected [3], got [2]"));
}

TEST(Rankings, AGroupOfOneIsAnError) {
  const Rankings r{.completions = three_rows(), .group_sizes = int64_tensor({2, 1})};
  EXPECT_THAT(error_of([&] { r.validate(); }),
              HasSubstr("Rankings::group_sizes: expected >= 2, got 1"));
}

}  // namespace
}  // namespace rlhf
