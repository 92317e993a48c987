#include "rlhf/text/llama2c_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/llama2c_file.hpp"
#include "support/small_bpe.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::error_of;
using test::llama2c_file;
using test::tokens_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// bc is better than ab; ab and aa are equally good. 269 tokens.
std::vector<test::ScoredToken> small_tokens() {
  return test::llama2c_tokens({{"a", -100},
                               {"b", -100},
                               {"c", -100},
                               {"\u00e9", -100},
                               {"bc", -1},
                               {"ab", -2},
                               {"aa", -2},
                               {" a", -3},
                               {"aab", -1}});
}

class Llama2c : public testing::Test {
 protected:
  Llama2cTokenizer load(const std::vector<test::ScoredToken>& tokens) {
    return Llama2cTokenizer::load(folder_.put("tok.bin", llama2c_file(tokens)),
                                  static_cast<int64_t>(tokens.size()));
  }
  void expect_error(const std::string& bytes, const std::string& message) {
    const auto path = folder_.put("tok.bin", bytes);
    EXPECT_THAT(error_of([&] { Llama2cTokenizer::load(path, 269); }),
                AllOf(HasSubstr(path.string()), HasSubstr(message)));
  }

  test::TemporaryFolder folder_;
};

TEST_F(Llama2c, MergesTheBestScoreFirstAndTheLeftmostOfEquals) {
  const auto tokenizer = load(small_tokens());
  const auto split = [&](std::string_view text) {
    return tokens_of(tokenizer.vocabulary(), tokenizer.encode_continuation(text));
  };
  EXPECT_THAT(split("abc"), ElementsAre("a", "bc"));
  EXPECT_THAT(split("aab"), ElementsAre("aab"));
  EXPECT_THAT(split("aaa"), ElementsAre("aa", "a"));
  EXPECT_THAT(split(""), IsEmpty());
}

TEST_F(Llama2c, ATextStartsWithASpaceThatDecodingTakesAway) {
  const auto tokenizer = load(small_tokens());
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), tokenizer.encode("ac")), ElementsAre(" a", "c"));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("ac")), " ac");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_prompt("ac")), "ac");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_prompt(" ac")), " ac");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_continuation(" ac")), " ac");
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
  EXPECT_THAT(tokenizer.encode_prompt(""), ElementsAre(Llama2cTokenizer::bos));
}

TEST_F(Llama2c, WhatHasNoTokenFallsBackToItsBytes) {
  const auto tokenizer = load(small_tokens());
  EXPECT_THAT(tokenizer.encode_continuation("\u00e9x\xff"),
              ElementsAre(tokenizer.vocabulary().id_of("\u00e9"), 'x' + 3, 0xff + 3));
  EXPECT_THAT(tokenizer.encode_continuation(std::string_view("\0", 1)), ElementsAre(3));
  EXPECT_EQ(tokenizer.decode(std::vector<int64_t>{0xf0 + 3, 0x9f + 3, 0x98 + 3, 0x80 + 3}), "😀");
}

TEST_F(Llama2c, MarksAreHiddenOrShown) {
  const auto tokenizer = load(small_tokens());
  const std::vector<int64_t> ids{1, 'a' + 3, 2};
  EXPECT_EQ(tokenizer.decode(ids), "a");
  EXPECT_EQ(tokenizer.decode(ids, SpecialTokens::keep), "\n<s>\na\n</s>\n");
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(1, 2));
  EXPECT_THAT(error_of([&] { tokenizer.decode(std::vector<int64_t>{-1}); }), HasSubstr("token id"));
}

TEST_F(Llama2c, RefusesAFileThatIsCutOff) {
  const std::string whole = llama2c_file(small_tokens());
  for (size_t size : {size_t{0}, size_t{3}, size_t{4}, size_t{9}, size_t{13}, whole.size() / 2,
                      whole.size() - 1}) {
    expect_error(whole.substr(0, size), "before the end");
  }
}

TEST_F(Llama2c, RefusesAFileOfAnotherVocabularySize) {
  expect_error(llama2c_file(small_tokens()) + "x", "bytes after 269 tokens: expected 0, got 1");
}

TEST_F(Llama2c, RefusesLengthsAndScoresThatCannotBe) {
  const auto with = [](const void* value, size_t at) {
    std::string bytes = llama2c_file(small_tokens());
    std::memcpy(bytes.data() + at, value, 4);
    return bytes;
  };
  for (int32_t length : {0, -1, 17, std::numeric_limits<int32_t>::max()}) {
    expect_error(with(&length, 8), "length of token 0 of 269: expected >= 1 and <= 16, got " +
                                       std::to_string(length));
  }
  for (int32_t longest : {0, -1, 1025}) {
    expect_error(with(&longest, 0), "longest token: expected >= 1 and <= 1024");
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_error(with(&nan, 4), "score of token 0 of 269: expected a finite number");
}

TEST_F(Llama2c, RefusesTokensOutOfPlace) {
  auto tokens = small_tokens();
  std::swap(tokens[3], tokens[4]);
  expect_error(llama2c_file(tokens), "token 3: expected <0x00>, got \"<0x01>\"");
  tokens = small_tokens();
  tokens.back().token = "bc";
  expect_error(llama2c_file(tokens), "token \"bc\" of a vocabulary: expected one id");
  tokens = small_tokens();
  tokens[259].token = "_";
  expect_error(llama2c_file(tokens), "token: expected one of the vocabulary, got \" \"");
}

TEST_F(Llama2c, RefusesAMissingFileAndAVocabularyWithoutBytes) {
  EXPECT_THAT(error_of([&] { Llama2cTokenizer::load(folder_ / "absent", 512); }),
              HasSubstr("No such file"));
  EXPECT_THAT(error_of([&] { Llama2cTokenizer::load(folder_ / "absent", 100); }),
              HasSubstr("vocabulary_size: expected >= 259, got 100"));
}

TEST(Llama2cOfStories, CutsAStoryIntoItsWords) {
  const std::filesystem::path path = RLHF_DATA_DIR "/model/tok512.bin";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  const auto tokenizer = Llama2cTokenizer::load(path, 512);
  EXPECT_THAT(tokens_of(tokenizer.vocabulary(), tokenizer.encode("Once upon a time")),
              ElementsAre(" Once", " upon", " a", " time"));
  const std::string story = "Once upon a time, there was a little girl named Lily. “Hé!”\n";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_prompt(story)), story);
}

}  // namespace
}  // namespace rlhf
