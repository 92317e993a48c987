#include "rlhf/text/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/text/character_tokenizer.hpp"
#include "rlhf/text/word_tokenizer.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using nlohmann::json;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const json rome = {{"answer", "Italy"}};

Grade grade(std::string_view response, const json& row = rome, AnswerGraderOptions options = {}) {
  return AnswerGrader(std::move(options))("Where is Rome?", response, row);
}

TEST(NormalisedAnswer, IgnoresCasePunctuationAndSpacing) {
  EXPECT_EQ(normalised_answer("  In \tITALY,\n(Rome)! "), "in italy rome");
  EXPECT_EQ(normalised_answer("I don't know"), normalised_answer("i don\u2019t know."));
  EXPECT_EQ(normalised_answer("\u201cCôte d'Ivoire\u201d"), "côte divoire");
  EXPECT_EQ(normalised_answer(" .?! "), "");
}

TEST(NormalisedAnswer, DropsOneLeadingArticleWhichSomethingFollows) {
  EXPECT_EQ(normalised_answer("The Hague."), "hague");
  EXPECT_EQ(normalised_answer("an apple a day"), "apple a day");
  EXPECT_EQ(normalised_answer("A."), "a");
  EXPECT_EQ(normalised_answer("Theory"), "theory");
}

TEST(AnswerGrader, GradesByTheGoldAnswer) {
  EXPECT_EQ(grade(" italy."), Grade::right);
  EXPECT_EQ(grade("France"), Grade::wrong);
  EXPECT_EQ(grade("Italy or France"), Grade::wrong);
  EXPECT_EQ(grade(""), Grade::malformed);
  EXPECT_EQ(grade(" ..."), Grade::malformed);
}

TEST(AnswerGrader, AnyOfSeveralGoldAnswersIsRight) {
  const json row = {{"answer", {"14 December 1972", "December 1972"}}};
  EXPECT_EQ(grade("december 1972", row), Grade::right);
  EXPECT_EQ(grade("1972", row), Grade::wrong);
}

TEST(AnswerGrader, NoGoldAnswerMeansThatNoneIsRight) {
  const json unanswerable = {{"answer", json::array()}};
  EXPECT_EQ(grade("Italy", unanswerable), Grade::wrong);
  EXPECT_EQ(grade("I don't know.", unanswerable), Grade::abstains);
}

TEST(AnswerGrader, AnAbstentionPhraseAmongTheWordsAbstains) {
  EXPECT_EQ(grade(" I don't know."), Grade::abstains);
  EXPECT_EQ(grade("Sorry, I do not know where that is"), Grade::abstains);
  EXPECT_EQ(grade("Hi, don't knowledgeable people say France?"), Grade::wrong);
}

TEST(AnswerGrader, AGoldAnswerThatSoundsLikeAbstainingIsRight) {
  EXPECT_EQ(grade("I have no idea", {{"answer", "I have no idea!"}}), Grade::right);
}

TEST(PhraseWarnings, NameThePhraseAndWhatBecomesOfIt) {
  const std::vector<std::string> phrases{"I don't know"};
  const auto letters = CharacterTokenizer::from_corpus("I don't know.");
  EXPECT_THAT(phrase_warnings(letters, phrases),
              ElementsAre("\"I don't know\" is spelt letter by letter, in 12 tokens"));
  const auto unknown = CharacterTokenizer::from_corpus("I do not");
  EXPECT_THAT(phrase_warnings(unknown, phrases),
              ElementsAre(AllOf(HasSubstr("\"I don't know\" c"), Not(HasSubstr("letter by")))));
  const auto words = WordTokenizer::from_corpus("I don't know");
  EXPECT_THAT(phrase_warnings(words, phrases), IsEmpty());
}

TEST(AnswerGrader, WhatIsNotAllowedIsMalformed) {
  const AnswerGraderOptions countries{.allowed = {"Italy", "France"}};
  EXPECT_EQ(grade("France", rome, countries), Grade::wrong);
  EXPECT_EQ(grade("Francefrance", rome, countries), Grade::malformed);
  EXPECT_EQ(grade("I don't know", rome, countries), Grade::abstains);
}

TEST(AnswerGrader, ReadsTheFieldAndPhrasesItIsTold) {
  EXPECT_EQ(grade("Italy", {{"country", "Italy"}}, {.gold_field = "country"}), Grade::right);
  EXPECT_EQ(grade("Pass!", rome, {.abstentions = {"pass"}}), Grade::abstains);
}

TEST(AnswerGrader, NamesWhatIsWrongWithARow) {
  EXPECT_THAT(error_of([] { grade("x", json::object()); }),
              HasSubstr("field \"answer\" of the data row: expected a string or an array of "
                        "strings, got no such field"));
  EXPECT_THAT(error_of([] { grade("x", {{"answer", 4}}); }), HasSubstr("got number"));
  EXPECT_THAT(error_of([] {
                grade("x", {{"answer", {1}}});
              }),
              HasSubstr("got an array that holds number"));
  EXPECT_THAT(error_of([] { grade("x", rome, {.abstentions = {"?"}}); }),
              HasSubstr("AnswerGraderOptions::abstentions: expected phrases with a word"));
}

}  // namespace
}  // namespace rlhf
