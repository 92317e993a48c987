#include "rlhf/text/train_bpe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/small_bpe.hpp"

namespace rlhf::text {
namespace {

using test::error_of;
using test::tokens_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<std::string, std::string>> learnt(const std::vector<std::string>& texts,
                                                        const BpeTrainOptions& options = {}) {
  return train_bpe(texts, options).merges();
}

TEST(TrainBpe, MergesTheMostFrequentPairFirst) {
  EXPECT_THAT(learnt({"xab", "yab", "zcd", "cd", "cd"}),
              ElementsAre(Pair("c", "d"), Pair("a", "b")));
}

TEST(TrainBpe, CountsAgainAfterEveryMerge) {
  // At first ab stands 4 times, bc 3 times, de twice; when ab is merged, bc is left once.
  EXPECT_THAT(learnt({"abc", "abc", "ab", "ab", "bc", "de", "de"}),
              ElementsAre(Pair("a", "b"), Pair("d", "e"), Pair("ab", "c")));
}

TEST(TrainBpe, OfEquallyFrequentPairsTheLowerIdsWin) {
  EXPECT_THAT(learnt({"zy", "zy", "cd", "cd", "ca", "ca"}),
              ElementsAre(Pair("c", "a"), Pair("c", "d"), Pair("z", "y")));
}

TEST(TrainBpe, TheOrderOfTheTextsDoesNotMatter) {
  const std::vector<std::string> texts{" Berlin", " Bern", " Ber", " Lima", " Limerick", " Merlin"};
  const std::vector<std::string> reversed(texts.rbegin(), texts.rend());
  EXPECT_EQ(learnt(texts), learnt(reversed));
}

TEST(TrainBpe, StopsWhereNoPairIsFrequentEnough) {
  EXPECT_THAT(learnt({"abcd", "ab"}), ElementsAre(Pair("a", "b")));
  EXPECT_THAT(learnt({"abcd", "ab"}, {.min_count = 3}), IsEmpty());
  EXPECT_THAT(learnt({"abab"}, {.merge_count = 0}), IsEmpty());
  EXPECT_EQ(learnt({"abcd", "ab"}, {.min_count = 1}).size(), 3U);
}

TEST(TrainBpe, OverlappingPairsMergeFromTheLeft) {
  EXPECT_THAT(learnt({"aaaaa", "aaaaa"}),
              ElementsAre(Pair("a", "a"), Pair("aa", "a"), Pair("aa", "aaa")));
}

TEST(TrainBpe, NothingIsLearntFromAddedTokens) {
  const BpeTrainOptions options{.added = {{.content = " Germany", .whole_word = true},
                                          {.content = "<eos>", .kind = TokenKind::end}}};
  const std::vector<std::string> texts{" Germany<eos> ab", " Germany ab<eos>"};
  const auto tokenizer = train_bpe(texts, options);
  EXPECT_THAT(tokenizer.merges(), ElementsAre(Pair("a", "b"), Pair(" ", "ab")));
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), tokenizer.encode(" Germany ab<eos>")),
              ElementsAre(" Germany", " ab", "<eos>"));
  EXPECT_EQ(tokenizer.vocabulary().size(), 256 + 2 + 2);
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(259));
}

TEST(TrainBpe, ATokenMadeInTwoWaysHasOneId) {
  // ab and bc come first (their other neighbours differ); abc is then ab + c and, after x, a + bc.
  const std::vector<std::string> texts{"ab", "ab", "ab", "ab", "abc", "abc", "bc", "bc", "bc"};
  const auto tokenizer = train_bpe(texts, {.min_count = 2, .added = {}});
  const auto merges = tokenizer.merges();
  EXPECT_EQ(tokenizer.vocabulary().size(), 256 + static_cast<int64_t>(merges.size()));
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), tokenizer.encode("abc")), ElementsAre("abc"));
}

TEST(TrainBpe, AnyBytesCanBeLearntFrom) {
  const std::string zero(1, '\0');
  EXPECT_THAT(learnt({"\xff\xfe", "\xff\xfe", zero + zero + zero + zero}),
              ElementsAre(Pair(zero, zero)));
}

TEST(TrainBpe, RefusesOptionsThatCannotWork) {
  EXPECT_THAT(error_of([] { train_bpe({}); }),
              HasSubstr("texts to train a BPE on: expected >= 1, got 0"));
  EXPECT_THAT(error_of([] { learnt({"a"}, {.merge_count = -1}); }),
              HasSubstr("BpeTrainOptions::merge_count"));
  EXPECT_THAT(error_of([] { learnt({"a"}, {.min_count = 0}); }),
              HasSubstr("BpeTrainOptions::min_count"));
}

}  // namespace
}  // namespace rlhf::text
