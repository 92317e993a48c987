#include "rlhf/text/bpe_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/small_bpe.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

BpeTable small_table(BpeFamily family) {
  return {.tokens = {"<|im_start|>", "<|im_end|>", "a", "b", "\u0120", "1", "2", "\u0120a", "ab",
                     "\u0120ab", "12", "e", "\u00c3", "\u00a9", "\u00c3\u00a9", "aba"},
          .merges = {"a b", "\u0120 ab", "1 2", "\u00c3 \u00a9"},
          .family = family,
          .added = {{.id = 0}, {.id = 1, .kind = TokenKind::end}}};
}

std::vector<std::string> split(const BpeTable& table, std::string_view text) {
  const ByteLevelBpe tokenizer = byte_level_bpe(table);
  return test::tokens_of(tokenizer.vocabulary(), tokenizer.encode(text));
}

TEST(BpeTable, MakesATokenizer) {
  const ByteLevelBpe tokenizer = byte_level_bpe(small_table(BpeFamily::gpt2));
  EXPECT_THAT(
      test::tokens_of(tokenizer.vocabulary(), tokenizer.encode("<|im_start|>ab ab<|im_end|>")),
      ElementsAre("<|im_start|>", "ab", " ab", "<|im_end|>"));
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(1));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("<|im_start|>ab")), "ab");
}

TEST(BpeTable, BytesWithoutATokenAreDroppedBeforeMerging) {
  EXPECT_THAT(split(small_table(BpeFamily::gpt2), "axb"), ElementsAre("ab"));
  EXPECT_THAT(split(small_table(BpeFamily::gpt2), "\xff\nxyz"), ElementsAre());
}

TEST(BpeTable, TheFamilySaysHowTextIsCut) {
  EXPECT_THAT(split(small_table(BpeFamily::gpt2), "12"), ElementsAre("12"));
  EXPECT_THAT(split(small_table(BpeFamily::smollm), "12"), ElementsAre("1", "2"));
  EXPECT_THAT(split(small_table(BpeFamily::qwen2), "12"), ElementsAre("1", "2"));
  EXPECT_THAT(split(small_table(BpeFamily::llama3), "12"), ElementsAre("12"));
}

TEST(BpeTable, Llama3TakesAPieceThatIsATokenAsItIs) {
  EXPECT_THAT(split(small_table(BpeFamily::llama3), "aba"), ElementsAre("aba"));
  EXPECT_THAT(split(small_table(BpeFamily::qwen2), "aba"), ElementsAre("ab", "a"));
}

TEST(BpeTable, Qwen2ComposesCharacters) {
  EXPECT_THAT(split(small_table(BpeFamily::qwen2), "e\u0301"), ElementsAre("\u00e9"));
  EXPECT_THAT(split(small_table(BpeFamily::llama3), "e\u0301"), ElementsAre("e"));
}

TEST(BpeTable, MarksStandAroundASequence) {
  BpeTable table = small_table(BpeFamily::llama3);
  table.marks = {.before = {0}, .after = {1}};
  EXPECT_THAT(byte_level_bpe(table).encode_sequence("ab"), ElementsAre(0, 8, 1));
  table.marks = {.before = {16}};
  EXPECT_THAT(error_of([&] { byte_level_bpe(table); }),
              HasSubstr("id in SequenceMarks: expected >= 0 and < 16, got 16"));
}

TEST(BpeTable, RefusesWhatDoesNotFit) {
  const auto refused = [](const auto& change, const std::string& message) {
    BpeTable table = small_table(BpeFamily::gpt2);
    change(table);
    EXPECT_THAT(error_of([&] { byte_level_bpe(table); }), HasSubstr(message));
  };
  refused([](BpeTable& table) { table.added.push_back({.id = 16}); },
          "BpeTable::added: id: expected >= 0 and < 16, got 16");
  refused([](BpeTable& table) { table.added.push_back({.id = 0}); }, "to be added once");
  refused([](BpeTable& table) { table.merges.push_back("ab"); },
          "BpeTable::merges[4]: expected two tokens with a space between");
  refused([](BpeTable& table) { table.merges.push_back("b b"); },
          "merge 4: expected tokens of the vocabulary, got \"bb\"");
  refused([](BpeTable& table) { table.family = static_cast<BpeFamily>(9); }, "BpeTable::family");
}

}  // namespace
}  // namespace rlhf
