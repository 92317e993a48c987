#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/small_bpe.hpp"

namespace rlhf {
namespace {

/// What a tokenizer that composes characters gives back.
std::string composed(const std::string& text) {
  BpeParts parts = test::small_bpe({});
  parts.rules.normalization = Normalization::nfc;
  const ByteLevelBpe tokenizer(std::move(parts));
  return tokenizer.decode(tokenizer.encode(text));
}

TEST(Normalization, ComposesCharacters) {
  EXPECT_EQ(composed("cafe\u0301"), "caf\u00e9");
  EXPECT_EQ(composed("s\u0307\u0323"), "\u1e69");
  EXPECT_EQ(composed("\u1112\u1161\u11ab"), "\ud55c");
  EXPECT_EQ(composed("\u212b"), "\u00c5");
}

TEST(Normalization, LeavesCharactersOfUnicode10AndLaterAsTheyStand) {
  EXPECT_EQ(composed("\U00011935\U00011930"), "\U00011935\U00011930");
  EXPECT_EQ(composed("a\u1df6\u0323"), "a\u1df6\u0323");  // else the lower mark would come first
}

TEST(Normalization, BytesThatAreNoTextStayAndPart) {
  EXPECT_EQ(composed("e\xff\u0301"), "e\xff\u0301");
  EXPECT_EQ(composed("\xcc"
                     "e\u0301\xcc"),
            "\xcc\u00e9\xcc");
}

TEST(Normalization, ManyMarksDoNotTakeTheSquareOfTheirNumber) {
  std::string text = "a";
  for (int i = 0; i < 300'000; ++i) text += "\u0301\u0327";
  const std::string result = composed(text);
  EXPECT_EQ(result.size(), text.size() - 1);  // the first acute and the letter are one
  EXPECT_TRUE(result.starts_with("\u00e1\u0327\u0327"));
}

TEST(Normalization, AddedTokensAreFoundBeforeOrAfterIt) {
  BpeParts parts =
      test::small_bpe({}, {{.content = "e\u0301x"}, {.content = "e\u0301y", .normalized = true}});
  parts.rules.normalization = Normalization::nfc;
  const ByteLevelBpe tokenizer(std::move(parts));
  EXPECT_EQ(tokenizer.encode("e\u0301x"), std::vector<int64_t>{256});
  EXPECT_EQ(tokenizer.encode("\u00e9x").size(), 3U);
  EXPECT_EQ(tokenizer.encode("e\u0301y"), std::vector<int64_t>{257});
  EXPECT_EQ(tokenizer.encode("\u00e9y"), std::vector<int64_t>{257});
  EXPECT_EQ(tokenizer.decode(std::vector<int64_t>{257}), "\u00e9y");
}

}  // namespace
}  // namespace rlhf
