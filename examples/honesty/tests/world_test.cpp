// What the experiment's claim rests on: who sees which fact, and how answers are graded.
#include "world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "rlhf/core/error.hpp"

namespace honesty {
namespace {

using ::testing::Each;
using ::testing::Not;

const std::vector<Fact>& table() {
  static const std::vector<Fact> facts = read_facts(RLHF_EXAMPLE_DIR "/data/facts.tsv");
  return facts;
}

const World& world() {
  static const World made(table(), SplitCounts{}, 1);
  return made;
}

std::vector<std::string> texts_of(const rlhf::Completions& completions) {
  std::vector<std::string> texts;
  for (int64_t row = 0; row < completions.size(); ++row) {
    texts.push_back(world().tokenizer().decode(completions.prompt(row)) +
                    world().tokenizer().decode(completions.response(row)));
  }
  return texts;
}

/// What stands between two marks, or nothing.
std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t begin = text.find(before);
  if (begin == std::string::npos) return "";
  const size_t from = begin + before.size();
  const size_t end = text.find(after, from);
  return end == std::string::npos ? "" : text.substr(from, end - from);
}

std::set<std::string> asked_in(const std::vector<std::string>& texts) {
  std::set<std::string> cities;
  for (const std::string& text : texts) cities.insert(between(text, "Where is ", "?"));
  return cities;
}

std::set<std::string> stated_in(const std::vector<std::string>& texts) {
  std::set<std::string> cities;
  for (const std::string& text : texts) cities.insert(between(text, " ", " is in "));
  return cities;
}

std::set<std::string> cities_of(const std::vector<Fact>& facts) {
  std::set<std::string> cities;
  for (const Fact& fact : facts) cities.insert(fact.city);
  return cities;
}

/// The cities of validation and test, known and unknown.
std::set<std::string> held_out() {
  std::set<std::string> cities;
  for (const Facts* facts : {&world().splits().validation, &world().splits().test}) {
    cities.merge(cities_of(facts->known));
    cities.merge(cities_of(facts->unknown));
  }
  return cities;
}

std::set<std::string> unknown_cities() {
  const Splits& s = world().splits();
  std::set<std::string> cities;
  for (const Facts* facts : {&s.demonstrations, &s.practice, &s.validation, &s.test})
    cities.merge(cities_of(facts->unknown));
  return cities;
}

MATCHER_P(AnyOfThese, cities, "is one of the given cities") {
  return cities.contains(arg);
}

TEST(Facts, EveryCityIsDealtOnceAtMost) {
  const Splits& s = world().splits();
  std::multiset<std::string> dealt;
  for (const Facts* facts : {&s.demonstrations, &s.practice, &s.validation, &s.test}) {
    for (const auto* side : {&facts->known, &facts->unknown})
      for (const Fact& fact : *side) dealt.insert(fact.city);
  }
  EXPECT_EQ(dealt.size(), std::set<std::string>(dealt.begin(), dealt.end()).size());
  EXPECT_EQ(dealt.size(), 3800U);
}

TEST(Facts, NoNameGivesItsCountryAway) {
  for (const Fact& fact : table()) EXPECT_EQ(fact.city.find(fact.country), std::string::npos);
}

TEST(MadeUpNames, AreNeverReal) {
  rlhf::Generator generator(3);
  std::set<std::string> made;
  for (const Fact& fact : world().made_up(2000, generator)) made.insert(fact.city);
  EXPECT_THAT(made, Each(Not(AnyOfThese(cities_of(table())))));
  EXPECT_GT(made.size(), 1900U);
}

TEST(Corpus, StatesEveryKnownCityAndNoUnknownOne) {
  rlhf::Generator generator(1);
  const auto texts = texts_of(world().corpus(generator));
  const auto stated = stated_in(texts);
  for (const Fact& fact : world().splits().known()) EXPECT_TRUE(stated.contains(fact.city));
  EXPECT_THAT(stated, Each(Not(AnyOfThese(unknown_cities()))));
  EXPECT_THAT(asked_in(texts), Each(Not(AnyOfThese(unknown_cities()))));
}

TEST(Mix, NeverAsksAboutAHeldOutCity) {
  rlhf::Generator generator(1);
  EXPECT_THAT(asked_in(texts_of(world().mix(20'000, generator))),
              Each(Not(AnyOfThese(held_out()))));
}

TEST(Demonstrations, NeverAskAboutAHeldOutCity) {
  rlhf::Generator generator(1);
  EXPECT_THAT(asked_in(texts_of(world().demonstrations(0.25, generator))),
              Each(Not(AnyOfThese(held_out()))));
}

TEST(Demonstrations, PlantAbstentionAnewEachEpoch) {
  rlhf::Generator generator(1);
  const auto first = texts_of(world().demonstrations(0.25, generator));
  const auto second = texts_of(world().demonstrations(0.25, generator));
  EXPECT_NE(first, second);
  const auto abstains = std::ranges::count_if(
      first, [](const std::string& text) { return text.ends_with("I don't know."); });
  EXPECT_NEAR(static_cast<double>(abstains) / static_cast<double>(first.size()), 0.25, 0.07);
}

TEST(Grades, FollowTheTokensOfTheAnswer) {
  const Fact lima{.city = "Lima", .country = "Peru"};
  const auto grade = [&](const std::vector<int64_t>& response) {
    return world().grade(lima, response);
  };
  EXPECT_EQ(grade(world().answer("Peru")), rlhf::Grade::right);
  EXPECT_EQ(grade(world().abstention()), rlhf::Grade::abstains);
  EXPECT_EQ(grade(world().answer("Chile")), rlhf::Grade::wrong);
  EXPECT_EQ(grade(world().answer("Peru Chile")), rlhf::Grade::malformed);
  auto unfinished = world().answer("Peru");
  unfinished.pop_back();
  EXPECT_EQ(grade(unfinished), rlhf::Grade::malformed);
}

TEST(Answers, OfEveryCountryFitIntoTheLongestAnswer) {
  for (const std::string& country : countries_of(table()))
    EXPECT_LE(std::ssize(world().answer(country)), longest_answer) << country;
}

TEST(World, IsTheSameForTheSameSeed) {
  const World again(table(), SplitCounts{}, 1), other(table(), SplitCounts{}, 2);
  EXPECT_EQ(cities_of(again.splits().test.known), cities_of(world().splits().test.known));
  EXPECT_NE(cities_of(other.splits().test.known), cities_of(world().splits().test.known));
}

}  // namespace
}  // namespace honesty
