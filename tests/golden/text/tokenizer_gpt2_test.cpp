// Agreement with the Python package `tokenizers`; tokenizer_gpt2.py made the expected values.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "golden/read_golden.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/text/train_bpe.hpp"
#include "support/small_bpe.hpp"
#include "support/temporary_folder.hpp"
#include "support/utf8.hpp"

namespace rlhf {
namespace {

using test::json;

const json& golden() {
  static const json values = test::read_golden("tokenizer_gpt2");
  return values;
}

/// What vocab.bpe says of these merges.
std::string merges_file(const json& merges) {
  std::string lines = "#version: 0.2\n";
  for (const json& merge : merges)
    lines += merge[0].get<std::string>() + " " + merge[1].get<std::string>() + "\n";
  return lines;
}

class Gpt2 : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << folder_ << " is absent";
  }
  void expect_cases(const ByteLevelBpe& tokenizer, const json& cases) {
    for (const json& item : cases) {
      const auto text = item["text"].get<std::string>();
      EXPECT_EQ(tokenizer.encode(text), item["ids"].get<std::vector<int64_t>>()) << item["text"];
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text), SpecialTokens::keep), text);
    }
  }
  ByteLevelBpe load() {
    return ByteLevelBpe::load(folder_ / "encoder.json", folder_ / "vocab.bpe");
  }

  std::filesystem::path folder_ = RLHF_DATA_DIR "/tokenizer_gpt2";
};

TEST_F(Gpt2, GivesTheIdsOfTokenizers) {
  const ByteLevelBpe tokenizer = load();
  EXPECT_EQ(tokenizer.vocabulary().size(), 50257);
  EXPECT_EQ(tokenizer.end_tokens(), std::vector<int64_t>{50256});
  ASSERT_GE(golden()["cases"].size(), 400U);
  expect_cases(tokenizer, golden()["cases"]);
}

TEST_F(Gpt2, FindsAddedTokensAsTokenizersDoes) {
  const ByteLevelBpe plain = load();
  BpeParts parts{.tokens = {}, .merges = plain.merges(), .added = gpt2_added_tokens()};
  for (int64_t id = 0; id < plain.vocabulary().size(); ++id)
    parts.tokens.push_back(plain.vocabulary().token_of(id));
  for (const json& token : golden()["added"]["tokens"]) parts.added.push_back({.content = token});
  expect_cases(ByteLevelBpe(std::move(parts)), golden()["added"]["cases"]);
}

TEST_F(Gpt2, SavesWhatItWasLoadedFrom) {
  const test::TemporaryFolder folder;
  load().save(folder.path());
  const json model = io::read_json(folder / "tokenizer.json")["model"];
  EXPECT_EQ(model["vocab"], io::read_json(folder_ / "encoder.json"));
  EXPECT_EQ(merges_file(model["merges"]), io::read_file(folder_ / "vocab.bpe"));
  expect_cases(ByteLevelBpe::load(folder.path()), golden()["cases"]);
}

/// A tokenizer that makes one token (of id >= 256) of "a", "1" or "!" and the byte that follows,
/// where they stand in one piece.
ByteLevelBpe piece_probe() {
  std::vector<std::pair<std::string, std::string>> merges;
  for (const char* first : {"a", "1", "!"}) {
    for (int byte = 0; byte < 256; ++byte) {
      merges.emplace_back(first, std::string(1, static_cast<char>(byte)));
    }
  }
  return ByteLevelBpe(test::small_bpe(std::move(merges)));
}

/// How many of these code points are in one piece with a neighbour before them.
int64_t joined_count(const ByteLevelBpe& probe, char neighbour, uint32_t first, uint32_t end) {
  std::string text;
  for (uint32_t point = first; point < end; ++point) text += neighbour + test::utf8(point) + '\n';
  const auto ids = probe.encode(text);
  return std::count_if(ids.begin(), ids.end(), [](int64_t id) { return id >= 256; });
}

TEST(Gpt2Split, ClassifiesEveryCodePointAsTokenizersDoes) {
  const ByteLevelBpe probe = piece_probe();
  const std::map<char, char> neighbour_of{{'L', 'a'}, {'N', '1'}, {'O', '!'}};
  const json& runs = golden()["classes"];
  for (size_t run = 0; run < runs.size(); ++run) {
    const char expected = runs[run][1].get<std::string>().front();
    const auto first = runs[run][0].get<uint32_t>();
    const uint32_t end = run + 1 < runs.size() ? runs[run + 1][0].get<uint32_t>() : 0x110000;
    if (expected == '-') continue;
    // A character of another class than white space joins a neighbour of its own class only.
    for (const auto& [name, neighbour] : neighbour_of) {
      if (expected != 'S' && name != expected) continue;
      EXPECT_EQ(joined_count(probe, neighbour, first, end), name == expected ? end - first : 0)
          << std::hex << "from U+" << first << ", class " << expected << " and " << name;
    }
  }
}

TEST(TrainBpeGolden, LearnsTheMergesOfTokenizers) {
  const json& training = golden()["training"];
  const auto tokenizer = text::train_bpe(training["texts"].get<std::vector<std::string>>(),
                                         {.merge_count = training["merge_count"], .added = {}});
  const test::TemporaryFolder folder;
  tokenizer.save(folder.path());
  EXPECT_EQ(io::read_json(folder / "tokenizer.json")["model"]["merges"], training["merges"]);
}

}  // namespace
}  // namespace rlhf
