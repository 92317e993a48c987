// What the run's figures of quality rest on: what is held out, and how answers are graded.
#include "world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace scale {
namespace {

const World& world() {
  static const World made(1);
  return made;
}

std::set<std::vector<int64_t>> prompts_of(const Questions& questions) {
  std::set<std::vector<int64_t>> prompts;
  for (int64_t i = 0; i < questions.size(); ++i) prompts.insert(questions.prompts.prompt(i));
  return prompts;
}

TEST(Questions, HeldOutOnesAreNeverPractised) {
  rlhf::Generator generator(1);
  const auto practised = prompts_of(world().questions(3000, Wordings::practised, generator));
  for (const auto& prompt : prompts_of(world().questions(1000, Wordings::held_out, generator)))
    EXPECT_FALSE(practised.contains(prompt)) << world().tokenizer().decode(prompt);
}

TEST(Questions, ATenthHasNoAnswerThatAnyoneKnows) {
  rlhf::Generator generator(1);
  const Questions questions = world().questions(3000, Wordings::practised, generator);
  const auto unknown = std::ranges::count(questions.answers, world().abstention());
  // Drawn fact by fact: three deviations of the share among so few of them.
  const double facts = 24 * 4, deviation = std::sqrt(0.1 * 0.9 / facts);
  EXPECT_NEAR(static_cast<double>(unknown) / 3000, 0.1, 3 * deviation);
  EXPECT_GT(unknown, 0);
}

TEST(Grades, FollowTheTokensOfTheAnswer) {
  rlhf::Generator generator(1);
  Questions questions = world().questions(1, Wordings::practised, generator);
  const auto tokens = [&](const std::string& text) { return world().tokenizer().encode(text); };
  const auto grade = [&](const std::string& text) {
    return world().grades(questions, rlhf::with_responses(questions.prompts, {tokens(text)}));
  };
  questions.answers = {tokens(" Peru.<eos>")};
  EXPECT_THAT(grade(" Peru.<eos>"), testing::ElementsAre(rlhf::Grade::right));
  EXPECT_THAT(grade(" I don't know.<eos>"), testing::ElementsAre(rlhf::Grade::abstains));
  EXPECT_THAT(grade(" a baron.<eos>"), testing::ElementsAre(rlhf::Grade::wrong));
  EXPECT_THAT(grade(" Peru."), testing::ElementsAre(rlhf::Grade::malformed));
  EXPECT_THAT(grade(" Peru Peru.<eos>"), testing::ElementsAre(rlhf::Grade::malformed));
  questions.answers = {world().abstention()};  // what nobody knows is rightly not answered
  EXPECT_THAT(grade(" I don't know.<eos>"), testing::ElementsAre(rlhf::Grade::right));
}

TEST(Answers, FitIntoTheLongestAnswer) {
  rlhf::Generator generator(1);
  for (const auto& answer : world().questions(3000, Wordings::practised, generator).answers)
    EXPECT_LE(std::ssize(answer), longest_answer);
}

TEST(Words, FitIntoTheEmbeddingsOfTheModel) {
  EXPECT_LE(world().tokenizer().vocabulary().size(), 512);
}

}  // namespace
}  // namespace scale
