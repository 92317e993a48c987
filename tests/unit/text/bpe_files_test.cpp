#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "support/error_of.hpp"
#include "support/small_bpe.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const AddedToken bos{.content = "<bos>", .kind = TokenKind::special};
const AddedToken eos{.content = "<eos>", .kind = TokenKind::end};
const AddedToken e_acute{.content = " é", .whole_word = true};

class BpeFiles : public testing::Test {
 protected:
  BpeFiles() : model_(folder_ / "model") {
    ByteLevelBpe(test::small_bpe({{"a", "b"}, {" ", "ab"}}, {bos, eos, e_acute})).save(model_);
  }

  std::string read(const std::string& name) { return io::read_file(model_ / name); }
  void rewrite(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = read(name);
    const size_t place = text.find(from);
    ASSERT_NE(place, text.npos) << from;
    io::write_file_atomically(model_ / name, text.replace(place, from.size(), to));
  }
  void expect_error(const std::string& where, const std::string& message) {
    EXPECT_THAT(error_of([&] { ByteLevelBpe::load(model_); }),
                AllOf(HasSubstr((model_ / where).string()), HasSubstr(message)));
  }
  std::vector<std::string> split(const ByteLevelBpe& tokenizer, std::string_view text) {
    return test::tokens_of(tokenizer.vocabulary(), tokenizer.encode(text));
  }

  test::TemporaryFolder folder_;
  std::filesystem::path model_;
};

TEST_F(BpeFiles, GiveBackWhatWasSaved) {
  const auto tokenizer = ByteLevelBpe::load(model_);
  EXPECT_EQ(tokenizer.vocabulary().size(), 261);
  EXPECT_THAT(split(tokenizer, "<bos>ab ab é\xff"),
              ElementsAre("<bos>", "ab", " ab", " é", "\xff"));
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(tokenizer.vocabulary().id_of("<eos>")));
  EXPECT_THAT(tokenizer.vocabulary().added_tokens(), ElementsAre(bos, eos, e_acute));
  EXPECT_EQ(tokenizer.split_pattern(), gpt2_split_pattern());
}

TEST_F(BpeFiles, AreTheSameWhenSavedAgain) {
  ByteLevelBpe::load(model_).save(folder_ / "again");
  for (const char* name : {"encoder.json", "vocab.bpe", "bpe.json"}) {
    EXPECT_EQ(io::read_file(folder_ / "again" / name), read(name));
  }
}

TEST_F(BpeFiles, AreWrittenAsGpt2WritesThem) {
  EXPECT_EQ(read("vocab.bpe"), "#version: 0.2\na b\n\u0120 ab\n");
  const auto encoder = nlohmann::json::parse(read("encoder.json"));
  EXPECT_EQ(encoder["\u0120ab"], 257);
  EXPECT_EQ(encoder["<bos>"], 258);
  EXPECT_EQ(encoder["\u0120\u00c3\u00a9"], 260);
  const auto two = ByteLevelBpe::load(model_ / "encoder.json", model_ / "vocab.bpe", {eos});
  EXPECT_THAT(split(two, " ab<eos>"), ElementsAre(" ab", "<eos>"));
}

TEST_F(BpeFiles, MissingOnesAreNamed) {
  for (const char* name : {"vocab.bpe", "encoder.json", "bpe.json"}) {
    std::filesystem::remove(model_ / name);
    expect_error(name, "No such file");
  }
}

TEST_F(BpeFiles, InvalidJsonIsNamedWithItsLine) {
  rewrite("bpe.json", "\"whole_word\": false", "\"whole_word\": nope");
  expect_error("bpe.json:6", "invalid JSON");
}

TEST_F(BpeFiles, IdsOutOfRangeOrTakenTwiceAreRefused) {
  rewrite("encoder.json", "\"<bos>\":258", "\"<bos>\":257");
  expect_error("encoder.json", "expected an id of its own, got 257");
  rewrite("encoder.json", "\"<bos>\":257", "\"<bos>\":261");
  expect_error("encoder.json: id of \"<bos>\"",
               "expected >= 0 and < 261, the number of tokens, got 261");
  rewrite("encoder.json", "\"<bos>\":261", "\"<bos>\":-1");
  expect_error("encoder.json: id of \"<bos>\"", "got -1");
  rewrite("encoder.json", "\"<bos>\":-1", "\"<bos>\":\"258\"");
  expect_error("encoder.json: id of \"<bos>\"", "got \"258\"");
}

TEST_F(BpeFiles, TokensOutsideTheByteAlphabetAreRefused) {
  rewrite("encoder.json", "\"<bos>\"", "\"< bos>\"");
  expect_error("encoder.json", "GPT-2's byte alphabet, got \"< bos>\"");
}

TEST_F(BpeFiles, AMissingByteIsRefused) {
  rewrite("encoder.json", "\"A\"", "\"Axx\"");
  expect_error("encoder.json", "expected all 256 bytes, got no 0x41");
}

TEST_F(BpeFiles, WrongMergesAreNamedWithTheirLine) {
  rewrite("vocab.bpe", "a b\n", "a b\na c\n");
  expect_error("vocab.bpe:3", "expected tokens of the vocabulary, got \"ac\"");
  rewrite("vocab.bpe", "a c\n", "xyz c\n");
  expect_error("vocab.bpe:3", "expected tokens of the vocabulary, got \"xyz\"");
  rewrite("vocab.bpe", "xyz c\n", "abc\n");
  expect_error("vocab.bpe:3", "expected two tokens with a space between, got \"abc\"");
  rewrite("vocab.bpe", "abc\n", "a b\n");
  expect_error("vocab.bpe:3", "expected a merge that stands once");
  rewrite("vocab.bpe", "a b\na b\n", "a b\na b c\n");
  expect_error("vocab.bpe:3", "GPT-2's byte alphabet, got \"b c\"");
}

TEST_F(BpeFiles, AddedTokensMustHaveAnId) {
  rewrite("bpe.json", "<bos>", "<start>");
  expect_error("encoder.json", "added token \"<start>\": expected an id, got none");
}

TEST_F(BpeFiles, MembersOfTheWrongKindAreRefused) {
  rewrite("bpe.json", "\"kind\": \"end\"", "\"kind\": \"final\"");
  expect_error("bpe.json: \"kind\"", "expected ordinary, special, end or unknown, got final");
  rewrite("bpe.json", "\"kind\": \"final\"", "\"kind\": 1");
  expect_error("bpe.json: \"kind\"", "expected string, got number");
  rewrite("bpe.json", "\"added_tokens\": [", "\"tokens\": [");
  expect_error("bpe.json: \"added_tokens\"", "expected array, got none");
}

TEST_F(BpeFiles, AFolderThatCannotBeMadeIsNamed) {
  folder_.put("file", "");
  EXPECT_THAT(error_of([&] { ByteLevelBpe::load(model_).save(folder_ / "file" / "model"); }),
              HasSubstr("cannot make the folder"));
}

}  // namespace
}  // namespace rlhf
