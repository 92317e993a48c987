#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/text/character_tokenizer.hpp"
#include "rlhf/text/word_tokenizer.hpp"
#include "support/error_of.hpp"
#include "support/small_bpe.hpp"

namespace rlhf {
namespace {

using test::error_of;
using test::tokens_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<AddedToken> with_unknown() {
  auto added = default_added_tokens();
  added.push_back({.content = "<unk>", .kind = TokenKind::unknown});
  return added;
}

TEST(CharacterTokenizer, NumbersCharactersInUnicodeOrder) {
  const auto tokenizer = CharacterTokenizer::from_corpus("bé😀a\nb");
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), {0, 1, 2, 3, 4, 5, 6}),
              ElementsAre("\n", "a", "b", "é", "😀", "<bos>", "<eos>"));
  EXPECT_EQ(tokenizer.vocabulary().size(), 7);
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(6));
}

TEST(CharacterTokenizer, ReadsSpecialTokensUnlessToldNot) {
  const auto tokenizer = CharacterTokenizer::from_corpus("<boes>");
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), tokenizer.encode("<bos>b")),
              ElementsAre("<bos>", "b"));
  EXPECT_EQ(tokenizer.encode("<bos>b", SpecialText::plain).size(), 6U);
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
}

TEST(CharacterTokenizer, AnUnknownCharacterIsAnErrorOrTheUnknownToken) {
  const auto strict = CharacterTokenizer::from_corpus("abc");
  EXPECT_THAT(error_of([&] { strict.encode("ab\u00e9"); }), HasSubstr("text at offset 2"));
  EXPECT_THAT(error_of([&] { strict.encode("\xff"); }), HasSubstr("got \"\\xff\""));
  const auto lenient = CharacterTokenizer::from_corpus("abc", with_unknown());
  EXPECT_THAT(lenient.encode("a\u00e9\xff"), ElementsAre(0, 5, 5));
  EXPECT_EQ(lenient.decode(lenient.encode("a\u00e9b"), SpecialTokens::keep), "a<unk>b");
}

TEST(CharacterTokenizer, RefusesACorpusThatIsNoText) {
  EXPECT_THAT(error_of([] { CharacterTokenizer::from_corpus(""); }),
              HasSubstr("corpus of a CharacterTokenizer: expected text"));
  EXPECT_THAT(error_of([] { CharacterTokenizer::from_corpus("a\x80"); }),
              HasSubstr("expected valid UTF-8, got byte 0x80 at offset 1"));
}

TEST(WordTokenizer, AWordTakesTheSpaceBeforeIt) {
  const std::string text = "Where is it?  \"I don't know.\"\nA: x_1 café";
  const auto tokenizer = WordTokenizer::from_corpus(text);
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), tokenizer.encode(text)),
              ElementsAre("Where", " is", " it", "?", " ", " \"", "I", " don't", " know", ".", "\"",
                          "\n", "A", ":", " x_1", " café"));
}

TEST(WordTokenizer, TheMoreFrequentWordHasTheLowerId) {
  const auto tokenizer = WordTokenizer::from_corpus("b a b c c c", {.added = {}});
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), {0, 1, 2, 3}), ElementsAre(" c", " a", " b", "b"));
  const auto frequent = WordTokenizer::from_corpus("b a b c c c", {.min_count = 2, .added = {}});
  EXPECT_EQ(frequent.vocabulary().size(), 1);
}

TEST(WordTokenizer, AddedTokensAreNoWords) {
  const std::string text = "<bos>a b<eos>";
  const auto tokenizer = WordTokenizer::from_corpus(text);
  EXPECT_EQ(tokenizer.vocabulary().size(), 4);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text), SpecialTokens::keep), text);
}

TEST(WordTokenizer, AnUnknownWordIsAnErrorOrTheUnknownToken) {
  const auto strict = WordTokenizer::from_corpus("Where is it");
  EXPECT_THAT(
      error_of([&] { strict.encode("Where was it"); }),
      HasSubstr("text at offset 5: expected a token of the vocabulary, which has none of kind "
                "unknown, got \" was\""));
  const auto lenient = WordTokenizer::from_corpus("Where is it", {.added = with_unknown()});
  EXPECT_EQ(lenient.decode(lenient.encode("Where was\xff it"), SpecialTokens::keep),
            "Where<unk><unk> it");
}

TEST(WordTokenizer, RefusesOptionsAndCorporaThatCannotWork) {
  EXPECT_THAT(error_of([] { WordTokenizer::from_corpus("a", {.min_count = 0}); }),
              HasSubstr("WordTokenizerOptions::min_count: expected >= 1, got 0"));
  EXPECT_THAT(error_of([] { WordTokenizer::from_corpus(""); }),
              HasSubstr("corpus of a WordTokenizer: expected text"));
  EXPECT_THAT(error_of([] { WordTokenizer::from_corpus("\xc3"); }),
              HasSubstr("expected valid UTF-8"));
}

}  // namespace
}  // namespace rlhf
