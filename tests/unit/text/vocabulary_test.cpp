#include "rlhf/text/vocabulary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

const AddedToken bos{.content = "<bos>", .kind = TokenKind::special};
const AddedToken eos{.content = "<eos>", .kind = TokenKind::end};

/// "[New York]er" for an added token with text after it.
std::string bracketed(const Vocabulary& vocabulary, std::string_view text,
                      SpecialText special = SpecialText::read) {
  std::string shown;
  for (const auto& segment : vocabulary.segments(text, special)) {
    const std::string piece(segment.text);
    shown += segment.id ? "[" + piece + "]" : piece;
  }
  return shown;
}

TEST(Vocabulary, LooksUpBothWays) {
  const Vocabulary vocabulary({"a", "b"}, {bos, eos});
  EXPECT_EQ(vocabulary.size(), 4);
  EXPECT_EQ(vocabulary.id_of("b"), 1);
  EXPECT_EQ(vocabulary.token_of(3), "<eos>");
  EXPECT_EQ(vocabulary.find("c"), std::nullopt);
  EXPECT_EQ(vocabulary.kind_of(0), TokenKind::ordinary);
  EXPECT_EQ(vocabulary.kind_of(2), TokenKind::special);
  EXPECT_THAT(vocabulary.end_tokens(), ElementsAre(3));
}

TEST(Vocabulary, AnAddedTokenKeepsTheIdItHas) {
  const Vocabulary vocabulary({"<eos>", "a"}, {bos, eos});
  EXPECT_EQ(vocabulary.size(), 3);
  EXPECT_EQ(vocabulary.id_of("<bos>"), 2);
  EXPECT_EQ(vocabulary.kind_of(0), TokenKind::end);
}

TEST(Vocabulary, AnIdMayStandForNothing) {
  const Vocabulary vocabulary({"a", "", "b"},
                              {{.content = "<eos>", .kind = TokenKind::end, .id = 5}});
  EXPECT_EQ(vocabulary.size(), 6);
  EXPECT_EQ(vocabulary.id_of("<eos>"), 5);
  EXPECT_EQ(vocabulary.token_of(3), "");
  EXPECT_EQ(vocabulary.find(""), std::nullopt);
  EXPECT_EQ(vocabulary.decode(std::vector<int64_t>{0, 1, 4, 2}, SpecialTokens::keep), "ab");
}

TEST(Vocabulary, AnAddedTokenMayHaveTheBytesOfAnother) {
  const Vocabulary vocabulary({"a", "  "}, {{.content = "  ", .id = 2}});
  EXPECT_EQ(vocabulary.size(), 3);
  EXPECT_EQ(vocabulary.id_of("  "), 2);
  EXPECT_EQ(vocabulary.token_of(1), "  ");
}

TEST(Vocabulary, DecodingShowsOrHidesSpecialTokens) {
  const Vocabulary vocabulary({"a", "b"}, {bos, eos});
  const std::vector<int64_t> ids{2, 0, 1, 3};
  EXPECT_EQ(vocabulary.decode(ids, SpecialTokens::keep), "<bos>ab<eos>");
  EXPECT_EQ(vocabulary.decode(ids, SpecialTokens::drop), "ab");
}

TEST(Vocabulary, RefusesWhatIsNoVocabulary) {
  const auto refused = [](std::vector<std::string> tokens, std::vector<AddedToken> added,
                          const std::string& message) {
    EXPECT_THAT(error_of([&] { Vocabulary(tokens, added); }), HasSubstr(message));
  };
  refused({"a", "b", "a"}, {}, "token \"a\" of a vocabulary: expected one id, got 0 and 2");
  refused({"a"}, {{.content = "b", .id = 0}}, "expected one of its own, got 0, of the token \"a\"");
  refused({"a"}, {{.content = "b", .id = -1}}, "id of the added token \"b\": expected >= 0");
  refused({"a"}, {{.content = "b", .id = int64_t{1} << 40}}, "id of the added token \"b\"");
  refused({"a"}, {{.content = ""}}, "AddedToken::content");
  refused({"a"}, {{.content = "\xff"}}, "expected valid UTF-8, got byte 0xff");
  refused({"a"}, {bos, bos}, "added token \"<bos>\": expected to be added once");
  refused(
      {},
      {{.content = "?", .kind = TokenKind::unknown}, {.content = "!", .kind = TokenKind::unknown}},
      "kind unknown: expected at most one");
}

TEST(Vocabulary, RefusesIdsAndTokensItHasNot) {
  const Vocabulary vocabulary({"a", "b"});
  for (int64_t id : {-1, 2}) {
    const std::vector<int64_t> ids{0, id};
    const std::string message = "token id: expected >= 0 and < 2, got " + std::to_string(id);
    EXPECT_THAT(error_of([&] { vocabulary.decode(ids, SpecialTokens::keep); }), HasSubstr(message));
  }
  EXPECT_THAT(error_of([&] { vocabulary.id_of("c"); }), HasSubstr("got \"c\""));
}

TEST(AddedTokens, AreFoundLeftmostFirstThenLongest) {
  const Vocabulary vocabulary(
      {}, {{.content = "New"}, {.content = "New York"}, {.content = "w York City"}});
  EXPECT_EQ(bracketed(vocabulary, "New York City"), "[New York] City");
  EXPECT_EQ(bracketed(vocabulary, "New Jersey, NewNew York"), "[New] Jersey, [New][New York]");
  EXPECT_EQ(bracketed(vocabulary, "aw York City"), "a[w York City]");
  EXPECT_EQ(bracketed(vocabulary, ""), "");
}

TEST(AddedTokens, AWholeWordIsNotFoundInALongerOne) {
  const Vocabulary vocabulary({}, {{.content = " is", .whole_word = true},
                                   {.content = " in", .whole_word = true},
                                   {.content = "A:", .whole_word = true},
                                   {.content = " I", .whole_word = true}});
  EXPECT_EQ(bracketed(vocabulary, "where is island is. is"), "where[ is] island[ is].[ is]");
  EXPECT_EQ(bracketed(vocabulary, " in india in  in-in in2 in_"),
            "[ in] india[ in] [ in]-in in2 in_");
  EXPECT_EQ(bracketed(vocabulary, "A:x aA:"), "[A:]x aA:");
  EXPECT_EQ(bracketed(vocabulary, " Ibadan I"), " Ibadan[ I]");
}

TEST(AddedTokens, WordsAreMadeOfTheLettersOfAllScripts) {
  const Vocabulary vocabulary(
      {}, {{.content = "is", .whole_word = true}, {.content = "мир", .whole_word = true}});
  EXPECT_EQ(bracketed(vocabulary, "éis isé is\u0301 is—is"), "éis isé is\u0301 [is]—[is]");
  EXPECT_EQ(bracketed(vocabulary, "мир мира кумир"), "[мир] мира кумир");
  EXPECT_EQ(bracketed(vocabulary, "\xffis\xff \x80is"), "\xff[is]\xff \x80[is]");
}

TEST(AddedTokens, AShorterOneIsFoundWhereTheLongerIsNoWholeWord) {
  const Vocabulary vocabulary({},
                              {{.content = "New"}, {.content = "New York", .whole_word = true}});
  EXPECT_EQ(bracketed(vocabulary, "New Yorker"), "[New] Yorker");
}

TEST(AddedTokens, SpecialOnesAreTextWhereTheCallerSaysSo) {
  const Vocabulary vocabulary({}, {bos, eos, {.content = " is"}});
  EXPECT_EQ(bracketed(vocabulary, "<bos>it is<eos>"), "[<bos>]it[ is][<eos>]");
  EXPECT_EQ(bracketed(vocabulary, "<bos>it is<eos>", SpecialText::plain), "<bos>it[ is]<eos>");
}

}  // namespace
}  // namespace rlhf
