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

using nlohmann::json;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const AddedToken bos{.content = "<bos>", .kind = TokenKind::special};
const AddedToken eos{.content = "<eos>", .kind = TokenKind::end};

/// encoder.json and vocab.bpe, made of a tokenizer.json that spells tokens the same way.
class Gpt2Files : public testing::Test {
 protected:
  Gpt2Files() {
    ByteLevelBpe(test::small_bpe({{"a", "b"}, {" ", "ab"}}, {bos, eos})).save(folder_.path());
    const json model = json::parse(io::read_file(folder_ / "tokenizer.json"))["model"];
    folder_.put("encoder.json", model["vocab"].dump());
    std::string lines = "#version: 0.2\n";
    for (const json& merge : model["merges"])
      lines += merge[0].get<std::string>() + " " + merge[1].get<std::string>() + "\n";
    folder_.put("vocab.bpe", lines);
  }

  ByteLevelBpe load(std::vector<AddedToken> added = {bos, eos}) {
    return ByteLevelBpe::load(folder_ / "encoder.json", folder_ / "vocab.bpe", std::move(added));
  }
  void rewrite(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = io::read_file(folder_ / name);
    const size_t place = text.find(from);
    ASSERT_NE(place, text.npos) << from;
    io::write_file_atomically(folder_ / name, text.replace(place, from.size(), to));
  }
  void expect_error(const std::string& where, const std::string& message) {
    EXPECT_THAT(error_of([&] { load(); }),
                AllOf(HasSubstr((folder_ / where).string()), HasSubstr(message)));
  }

  test::TemporaryFolder folder_;
};

TEST_F(Gpt2Files, AreRead) {
  const ByteLevelBpe tokenizer = load();
  EXPECT_EQ(tokenizer.vocabulary().size(), 260);
  EXPECT_THAT(test::tokens_of(tokenizer.vocabulary(), tokenizer.encode("<bos>ab ab\xff")),
              ElementsAre("<bos>", "ab", " ab", "\xff"));
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(tokenizer.vocabulary().id_of("<eos>")));
  EXPECT_EQ(tokenizer.rules().splits, gpt2_splits());
}

TEST_F(Gpt2Files, MissingOnesAreNamed) {
  std::filesystem::remove(folder_ / "vocab.bpe");
  expect_error("vocab.bpe", "No such file");
  std::filesystem::remove(folder_ / "encoder.json");
  expect_error("encoder.json", "No such file");
}

TEST_F(Gpt2Files, IdsOutOfRangeOrTakenTwiceAreRefused) {
  rewrite("encoder.json", "\"<bos>\":258", "\"<bos>\":257");
  expect_error("encoder.json", "expected an id of its own, got 257");
  rewrite("encoder.json", "\"<bos>\":257", "\"<bos>\":260");
  expect_error("encoder.json: id of \"<bos>\"",
               "expected >= 0 and < 260, the number of tokens, got 260");
  rewrite("encoder.json", "\"<bos>\":260", "\"<bos>\":-1");
  expect_error("encoder.json: id of \"<bos>\"", "got -1");
  rewrite("encoder.json", "\"<bos>\":-1", "\"<bos>\":\"258\"");
  expect_error("encoder.json: id of \"<bos>\"", "got \"258\"");
}

TEST_F(Gpt2Files, TokensOutsideTheByteAlphabetAreRefused) {
  rewrite("encoder.json", "\"<bos>\"", "\"< bos>\"");
  expect_error("encoder.json", "GPT-2's byte alphabet, got \"< bos>\"");
}

TEST_F(Gpt2Files, AMissingByteIsRefused) {
  rewrite("encoder.json", "\"A\"", "\"Axx\"");
  expect_error("encoder.json", "expected all 256 bytes, got no 0x41");
}

TEST_F(Gpt2Files, WrongMergesAreNamedWithTheirLine) {
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

TEST_F(Gpt2Files, AddedTokensMustHaveAnId) {
  EXPECT_THAT(error_of([&] { load({{.content = "<start>"}}); }),
              AllOf(HasSubstr((folder_ / "encoder.json").string()),
                    HasSubstr("added token \"<start>\": expected an id, got none")));
}

}  // namespace
}  // namespace rlhf
