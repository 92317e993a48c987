#include "rlhf/text/byte_level_bpe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/small_bpe.hpp"

namespace rlhf {
namespace {

using test::error_of;
using test::small_bpe;
using test::tokens_of;
using testing::ElementsAre;
using testing::HasSubstr;

const AddedToken bos{.content = "<bos>", .kind = TokenKind::special};
const AddedToken eos{.content = "<eos>", .kind = TokenKind::end};

std::vector<std::string> split(const ByteLevelBpe& tokenizer, std::string_view text) {
  return tokens_of(tokenizer.vocabulary(), tokenizer.encode(text));
}

TEST(ByteLevelBpe, MergesTheEarliestPairFirstAndTheLeftmostOfEquals) {
  const ByteLevelBpe tokenizer(small_bpe({{"b", "c"}, {"a", "b"}, {"a", "a"}, {"aa", "bc"}}));
  EXPECT_THAT(split(tokenizer, "abc"), ElementsAre("a", "bc"));
  EXPECT_THAT(split(tokenizer, "aabc"), ElementsAre("aabc"));
  EXPECT_THAT(split(tokenizer, "aaa"), ElementsAre("aa", "a"));
  EXPECT_THAT(split(tokenizer, "aab"), ElementsAre("a", "ab"));
}

TEST(ByteLevelBpe, MergesNeverCrossPieces) {
  const ByteLevelBpe tokenizer(
      small_bpe({{"a", " "}, {"a", "1"}, {" ", "a"}, {" ", " "}, {"'", "s"}}));
  EXPECT_THAT(split(tokenizer, "a1 a"), ElementsAre("a", "1", " a"));
  EXPECT_THAT(split(tokenizer, "a   a's "), ElementsAre("a", "  ", " a", "'s", " "));
}

TEST(ByteLevelBpe, AnInvalidByteIsATokenAndEndsThePiece) {
  const ByteLevelBpe tokenizer(small_bpe({{"a", "b"}, {"\xff", "a"}, {"\xe2", "\x82"}}));
  EXPECT_THAT(split(tokenizer, "a\xff\x61"), ElementsAre("a", "\xff", "a"));
  EXPECT_THAT(split(tokenizer, "ab\xe2\x82"), ElementsAre("ab", "\xe2", "\x82"));
  EXPECT_THAT(split(tokenizer, "\xe2\x82\xac"), ElementsAre("\xe2\x82", "\xac"));
}

TEST(ByteLevelBpe, AddedTokensComeWhole) {
  const ByteLevelBpe tokenizer(
      small_bpe({{" ", "i"}, {"i", "s"}}, {bos, eos, {.content = " is", .whole_word = true}}));
  EXPECT_THAT(split(tokenizer, "<bos>it is island<eos>"),
              ElementsAre("<bos>", "i", "t", " is", " i", "s", "l", "a", "n", "d", "<eos>"));
  EXPECT_EQ(tokenizer.vocabulary().id_of("<bos>"), 258);
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(259));
}

TEST(ByteLevelBpe, SpecialTokensInPlainTextAreText) {
  const ByteLevelBpe tokenizer(small_bpe({}, {bos, eos}));
  const auto ids = tokenizer.encode("<eos>", SpecialText::plain);
  EXPECT_EQ(ids.size(), 5U);
  EXPECT_EQ(tokenizer.decode(ids), "<eos>");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a<eos>")), "a");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a<eos>"), SpecialTokens::keep), "a<eos>");
}

TEST(ByteLevelBpe, ASplitPatternOfOnesOwnIsUsed) {
  BpeParts parts = small_bpe({{"a", " "}, {"a ", "b"}});
  parts.rules.splits = {{.pattern = ".+"}};
  const ByteLevelBpe tokenizer(std::move(parts));
  EXPECT_THAT(split(tokenizer, "a b\n\na b"), ElementsAre("a b", "\n", "\n", "a b"));
}

TEST(ByteLevelBpe, PiecesBeyondTheCacheAreEncodedAllTheSame) {
  const ByteLevelBpe tokenizer(small_bpe({{"1", "2"}}));
  for (int i = 0; i < 70'000; ++i) tokenizer.encode(std::to_string(i));
  EXPECT_THAT(split(tokenizer, "69912"), ElementsAre("6", "9", "9", "12"));
  const std::string longer_than_cached(1000, '1');
  EXPECT_EQ(tokenizer.encode(longer_than_cached).size(), 1000U);
}

TEST(ByteLevelBpe, OneTokenizerServesManyThreads) {
  const ByteLevelBpe tokenizer(small_bpe({{"1", "2"}, {"12", "3"}}));
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (size_t k = 0; k < wrong.size(); ++k) {
    threads.emplace_back([&, k] {
      for (int i = 0; i < 5000; ++i) {
        const std::string text = std::to_string(i * 123);
        wrong[k] += tokenizer.decode(tokenizer.encode(text)) != text;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(ByteLevelBpe, LongPiecesDoNotTakeTheSquareOfTheirLength) {
  const ByteLevelBpe tokenizer(small_bpe({{"a", "a"}, {"aa", "aa"}, {" ", " "}}));
  constexpr size_t length = size_t{1} << 18;
  EXPECT_EQ(tokenizer.encode(std::string(length, 'a')).size(), length / 4);
  EXPECT_EQ(tokenizer.encode(std::string(length, ' ')).size(), length / 2);
  EXPECT_EQ(tokenizer.encode(std::string(length, '\xff')).size(), length);
}

TEST(ByteLevelBpe, RefusesPartsThatDoNotFit) {
  const auto refused = [](const BpeParts& parts, const std::string& message) {
    EXPECT_THAT(error_of([&] { ByteLevelBpe{parts}; }), HasSubstr(message));
  };
  BpeParts parts = small_bpe({});
  parts.tokens.erase(parts.tokens.begin() + 0x41);
  refused(parts, "expected all 256 bytes, got no 0x41");

  parts = small_bpe({{"a", "b"}});
  parts.merges.emplace_back("ab", "xyz");
  refused(parts, "merge 1: expected tokens of the vocabulary, got \"xyz\"");

  parts = small_bpe({});
  parts.merges.emplace_back("a", "b");
  refused(parts, "merge 0: expected tokens of the vocabulary, got \"ab\"");

  parts = small_bpe({{"a", "b"}});
  parts.merges.emplace_back("a", "b");
  refused(parts, "merge 1: expected a merge that stands once");

  parts = small_bpe({});
  parts.rules.splits = {{.pattern = "a(b"}};
  refused(parts, "pattern \"a(b\": missing closing parenthesis");

  refused(small_bpe({{"a", "b"}}, {{.content = "ab", .kind = TokenKind::end}}),
          "special token \"ab\": expected a token that no text becomes");
}

TEST(ByteLevelBpe, APatternThatBacktracksWithoutEndIsAnError) {
  BpeParts parts = small_bpe({});
  parts.rules.splits = {{.pattern = "(a+)+$"}};
  const ByteLevelBpe tokenizer(std::move(parts));
  std::string hostile(60, 'a');
  hostile.push_back('b');
  EXPECT_THAT(error_of([&] { tokenizer.encode(hostile); }), HasSubstr("match limit exceeded"));
}

}  // namespace
}  // namespace rlhf
