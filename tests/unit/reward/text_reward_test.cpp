#include "rlhf/reward/text_reward.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/reward/abstention.hpp"
#include "support/error_of.hpp"
#include "support/letters.hpp"

namespace rlhf {
namespace {

using nlohmann::json;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

static_assert(Reward<TextReward> && Reward<AbstentionReward>);
static_assert(
    !std::is_constructible_v<TextReward, Letters, float (*)(std::string_view, std::string_view)>,
    "a temporary tokenizer would dangle");

const Letters letters;
const auto length_of_response = [](std::string_view, std::string_view response) {
  return response.size();
};

std::vector<float> floats(const Tensor& scores) {
  EXPECT_EQ(scores.scalar_type(), torch::kFloat32);
  return {scores.const_data_ptr<float>(), scores.const_data_ptr<float>() + scores.numel()};
}

TEST(TextReward, ScoresEachPairOfTexts) {
  std::vector<std::string> seen;
  TextReward reward{letters, [&](std::string_view prompt, std::string_view response) {
                      seen.push_back(std::string(prompt) + "|" + std::string(response));
                      return static_cast<double>(response.size());
                    }};
  EXPECT_THAT(floats(reward(rollout_of({{"ab", "c."}, {"d", "efgh."}, {"i", "."}}))),
              ElementsAre(1, 4, 0));
  EXPECT_THAT(seen, ElementsAre("ab|c", "d|efgh", "i|"));
}

TEST(TextReward, ShowsSpecialTokensIfAsked) {
  TextReward reward{letters, length_of_response, {}, {.in_response = SpecialTokens::keep}};
  EXPECT_THAT(floats(reward(rollout_of({{"ab", "c."}}))), ElementsAre(2));
}

TEST(TextReward, FindsTheDataRowOfASequenceByItsId) {
  const std::vector<json> rows{{{"answer", "x"}}, {{"answer", "c"}}, {{"answer", "e"}}};
  TextReward reward{letters,
                    [](std::string_view, std::string_view response, const json& row) {
                      return response == row.at("answer") ? 1.0F : -1.0F;
                    },
                    rows};
  Rollout rollout = rollout_of({{"a", "e."}, {"b", "c."}, {"b", "x."}});
  rollout.completions.ids = int64_tensor({2, 1, 1});
  EXPECT_THAT(floats(reward(rollout)), ElementsAre(1, 1, -1));
}

TEST(TextReward, GivesAJudgeTheWholeRolloutAtOnce) {
  int calls = 0;
  TextReward judge{letters, [&](std::span<const TextPair> pairs) {
                     ++calls;
                     std::vector<float> scores;
                     for (const TextPair& pair : pairs) {
                       scores.push_back(static_cast<float>(pair.prompt.size()));
                       EXPECT_EQ(pair.row, nullptr);
                     }
                     return scores;
                   }};
  EXPECT_THAT(floats(judge(rollout_of({{"abc", "c."}, {"d", "e."}}))), ElementsAre(3, 1));
  EXPECT_EQ(calls, 1);
}

TEST(TextReward, AJudgeSeesRowsWhenThereAreSome) {
  TextReward judge{letters,
                   [](std::span<const TextPair> pairs) {
                     return std::vector<float>{pairs[0].row->at("worth").get<float>()};
                   },
                   {{{"worth", 7}}}};
  Rollout rollout = rollout_of({{"a", "b."}});
  rollout.completions.ids = int64_tensor({0});
  EXPECT_THAT(floats(judge(rollout)), ElementsAre(7));
}

TEST(TextReward, WorksBehindAnyRewardAndKeepsItsFunctionsState) {
  AnyReward reward = TextReward{
      letters, [calls = 0](std::string_view, std::string_view) mutable { return ++calls; }};
  const Rollout rollout = rollout_of({{"a", "b."}, {"a", "c."}});
  EXPECT_THAT(floats(reward(rollout)), ElementsAre(1, 2));
  EXPECT_THAT(floats(reward(rollout)), ElementsAre(3, 4));
}

TEST(TextReward, AScoreThatIsNotFiniteNamesSequenceAndPrompt) {
  for (const auto& [bad, shown] : {std::pair(std::nanf(""), "nan"), std::pair(HUGE_VALF, "inf")}) {
    TextReward reward{letters, [bad = bad](std::string_view, std::string_view response) {
                        return response == "bad" ? bad : 0.0F;
                      }};
    EXPECT_THAT(error_of([&] {
                  reward(rollout_of({{"a", "b."}, {"where", "bad."}}));
                }),
                AllOf(HasSubstr("score of TextReward: expected a finite number, got "),
                      HasSubstr(shown), HasSubstr("for sequence 1, prompt \"where\"")));
  }
}

TEST(TextReward, ALongPromptIsCutInTheMessageAtAWholeCharacter) {
  const std::string letters_199(199, 'a');
  EXPECT_EQ(reward::quoted_prompt(letters_199 + "\u00e9\nrest"), '"' + letters_199 + "\"...");
  EXPECT_EQ(reward::quoted_prompt("two\nlines"), R"("two\nlines")");
}

TEST(TextReward, AnotherNumberOfScoresThanPairsIsAnError) {
  TextReward judge{letters, [](std::span<const TextPair>) { return std::vector<float>{1.0F}; }};
  EXPECT_THAT(error_of([&] {
                judge(rollout_of({{"a", "b."}, {"c", "d."}}));
              }),
              HasSubstr("scores of TextReward: expected 2, one a pair, got 1"));
}

TEST(TextReward, ADataRowThatIsNotThereIsAnError) {
  const auto reads_row = [](std::string_view, std::string_view, const json&) { return 0.0F; };
  EXPECT_THAT(error_of([&] { TextReward(letters, reads_row); }),
              HasSubstr("rows of TextReward: expected a table"));
  TextReward reward{letters, reads_row, std::vector<json>(2)};
  Rollout rollout = rollout_of({{"a", "b."}, {"c", "d."}});
  EXPECT_THAT(error_of([&] { reward(rollout); }),
              HasSubstr("Completions::ids: expected ids to look data rows up by, got none"));
  rollout.completions.ids = int64_tensor({1, 2});
  EXPECT_THAT(error_of([&] { reward(rollout); }),
              HasSubstr("id of sequence 1: expected that of one of 2 data rows, got 2"));
}

TEST(AbstentionReward, GivesEachGradeItsScore) {
  const std::vector<json> rows{{{"answer", "right"}}};
  const AnswerGraderOptions options{.abstentions = {"pass"}, .allowed = {"wrong"}};
  Rollout rollout = rollout_of({{"q", "right."}, {"q", "pass."}, {"q", "wrong."}, {"q", "xyz."}});
  rollout.completions.ids = torch::zeros({4}, torch::kInt64);

  AbstentionReward reward{letters, AnswerGrader{options}, rows};
  EXPECT_THAT(floats(reward(rollout)), ElementsAre(1, 0, -1, -2));
  EXPECT_THAT(reward.grades(rollout),
              ElementsAre(Grade::right, Grade::abstains, Grade::wrong, Grade::malformed));

  AbstentionReward other{letters,
                         AnswerGrader{options},
                         rows,
                         {.right = 4, .abstains = 3, .wrong = 2, .malformed = 1}};
  EXPECT_THAT(floats(other(rollout)), ElementsAre(4, 3, 2, 1));
}

TEST(AbstentionReward, TakesAGradeFunctionWithoutRows) {
  AbstentionReward reward{letters, [](std::string_view prompt, std::string_view response) {
                            return prompt == response ? Grade::right : Grade::wrong;
                          }};
  EXPECT_THAT(floats(reward(rollout_of({{"a", "a."}, {"a", "b."}}))), ElementsAre(1, -1));
}

TEST(AbstentionReward, NamesWhatCannotWork) {
  EXPECT_THAT(error_of([] { AbstentionReward(letters, AnswerGrader{}); }),
              HasSubstr("rows of AbstentionReward: expected a table"));
  EXPECT_THAT(error_of([] {
                AbstentionReward(letters, AnswerGrader{}, {json::object()},
                                 {.wrong = std::nan("")});
              }),
              HasSubstr("AbstentionScores::wrong: expected a finite number, got nan"));
}

}  // namespace
}  // namespace rlhf
