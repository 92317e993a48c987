// Agreement with the Python package `tokenizers` on the structures of real tokenizers;
// tokenizer_families.py made the expected values.
#include <gtest/gtest.h>

#include "golden/read_golden.hpp"
#include "rlhf/text/byte_level_bpe.hpp"
#include "support/temporary_folder.hpp"
#include "support/utf8.hpp"

namespace rlhf {
namespace {

using test::json;

class TokenizerFamily : public testing::TestWithParam<const char*> {
 protected:
  TokenizerFamily() : golden_(test::read_golden(std::string("tokenizers/") + GetParam())) {
    folder_.put("tokenizer.json", golden_["tokenizer"].dump());
  }

  void expect_cases(const ByteLevelBpe& tokenizer) {
    const json texts = test::read_golden("tokenizers/texts");
    ASSERT_EQ(texts.size(), golden_["cases"].size());
    ASSERT_GE(texts.size(), 350U);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto text = texts[i].get<std::string>();
      const json& expected = golden_["cases"][i];
      const auto ids = tokenizer.encode(text);
      EXPECT_EQ(json(ids), expected[0]) << texts[i];
      for (const auto special : {SpecialTokens::keep, SpecialTokens::drop}) {
        const json& decoded = expected[special == SpecialTokens::keep ? 1 : 2];
        EXPECT_EQ(test::lossy(tokenizer.decode(ids, special)),
                  decoded.is_null() ? text : decoded.get<std::string>())
            << texts[i];
      }
    }
  }

  json golden_;
  test::TemporaryFolder folder_;
};

TEST_P(TokenizerFamily, GivesTheIdsAndTheTextOfTokenizers) {
  expect_cases(ByteLevelBpe::load(folder_.path()));
}

TEST_P(TokenizerFamily, GivesTheSameAfterItWasSaved) {
  ByteLevelBpe::load(folder_.path()).save(folder_ / "saved");
  expect_cases(ByteLevelBpe::load(folder_ / "saved"));
}

TEST_P(TokenizerFamily, PutsTheSameMarksAroundASequence) {
  const SequenceMarks marks = ByteLevelBpe::load(folder_.path()).rules().marks;
  EXPECT_EQ(json({marks.before, marks.after}), golden_["marks"]);
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerFamily,
                         testing::Values("gpt2", "llama3", "qwen2", "smollm2", "flags", "splits",
                                         "removed", "unknown", "unknown_each"),
                         [](const auto& family) { return std::string(family.param); });

TEST(TokenizerFamilies, ThatLoseNothingEncodeTheirOwnTextTheSameWay) {
  for (const char* family : {"gpt2", "llama3", "qwen2"}) {
    const test::TemporaryFolder folder;
    const json golden = test::read_golden(std::string("tokenizers/") + family);
    folder.put("tokenizer.json", golden["tokenizer"].dump());
    const ByteLevelBpe tokenizer = ByteLevelBpe::load(folder.path());
    for (const json& text : test::read_golden("tokenizers/texts")) {
      const auto ids = tokenizer.encode(text.get<std::string>());
      EXPECT_EQ(tokenizer.encode(tokenizer.decode(ids, SpecialTokens::keep)), ids) << text;
    }
  }
}

}  // namespace
}  // namespace rlhf
