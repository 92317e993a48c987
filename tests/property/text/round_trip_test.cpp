#include <gtest/gtest.h>

#include <algorithm>

#include "rlhf/core/random.hpp"
#include "rlhf/text/llama2c_tokenizer.hpp"
#include "rlhf/text/train_bpe.hpp"
#include "support/llama2c_file.hpp"
#include "support/small_bpe.hpp"
#include "support/temporary_folder.hpp"
#include "support/utf8.hpp"

namespace rlhf {
namespace {

/// A few stretches of one script each; `invalid` of ten stretches are random bytes.
std::string random_text(Generator& generator, int64_t invalid) {
  static const std::vector<std::pair<uint32_t, uint32_t>> scripts{
      {0x20, 0x7E},     {0x61, 0x63},     {0x00, 0x20},       {0xA0, 0x24F},      {0x300, 0x36F},
      {0x400, 0x4FF},   {0x590, 0x6FF},   {0x900, 0x97F},     {0x1100, 0x11FF},   {0x2000, 0x206F},
      {0x3000, 0x30FF}, {0x4E00, 0x9FFF}, {0x1F300, 0x1FAFF}, {0x10000, 0x10FFFF}};
  static const std::vector<std::string> spellings{"<bos>", "<eos>", " is", " island",
                                                  "'s",    "  ",    "ab"};
  const auto below = [&](size_t bound) {
    return static_cast<size_t>(generator.below(static_cast<int64_t>(bound)));
  };
  std::string text;
  for (size_t stretch = below(6); stretch > 0; --stretch) {
    const auto [low, high] = scripts[below(scripts.size())];
    const bool is_invalid = generator.below(10) < invalid;
    for (size_t length = 1 + below(8); length > 0; --length) {
      if (is_invalid) {
        text += static_cast<char>(below(256));
      } else {
        text += test::utf8(low + static_cast<uint32_t>(below(high - low + 1)));
      }
    }
    if (generator.below(3) == 0) text += spellings[below(spellings.size())];
  }
  return text;
}

ByteLevelBpe learnt_bpe(std::vector<SplitRule> splits = gpt2_splits()) {
  Generator generator(3);
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back(random_text(generator, 2));
  auto added = default_added_tokens();
  added.push_back({.content = " is", .whole_word = true});
  return text::train_bpe(texts, {.merge_count = 300, .added = added, .splits = std::move(splits)});
}

void expect_round_trips(const ByteLevelBpe& tokenizer, int rounds) {
  ASSERT_GE(tokenizer.merges().size(), 200U);
  Generator generator(1);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = random_text(generator, i % 4);
    const auto ids = tokenizer.encode(text);
    ASSERT_EQ(tokenizer.decode(ids, SpecialTokens::keep), text);
    // Plain text never becomes a special token, so hiding those takes nothing away.
    const auto plain = tokenizer.encode(text, SpecialText::plain);
    ASSERT_EQ(tokenizer.decode(plain, SpecialTokens::drop), text);
  }
}

TEST(ByteLevelBpeProperty, DecodingGivesBackEveryStringOfBytes) {
  expect_round_trips(learnt_bpe(), 20'000);
  for (const auto& splits : {smollm_splits(), llama3_splits(), qwen2_splits()}) {
    expect_round_trips(learnt_bpe(splits), 4'000);
  }
}

/// GPT-2's own procedure: all occurrences of the pair of lowest rank at a time, from the left.
std::vector<std::string> plain_loop(const ByteLevelBpe& tokenizer, std::string_view piece) {
  const auto merges = tokenizer.merges();
  std::vector<std::string> symbols;
  for (char byte : piece) symbols.emplace_back(1, byte);
  while (true) {
    size_t best = merges.size();
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto place =
          std::find(merges.begin(), merges.end(), std::pair(symbols[i], symbols[i + 1]));
      best = std::min(best, static_cast<size_t>(place - merges.begin()));
    }
    if (best == merges.size()) return symbols;
    std::vector<std::string> merged;
    for (size_t i = 0; i < symbols.size(); ++i) {
      const bool here = i + 1 < symbols.size() && symbols[i] == merges[best].first &&
                        symbols[i + 1] == merges[best].second;
      merged.push_back(here ? symbols[i] + symbols[i + 1] : symbols[i]);
      if (here) ++i;
    }
    symbols = std::move(merged);
  }
}

TEST(ByteLevelBpeProperty, MergingAgreesWithThePlainLoop) {
  const ByteLevelBpe tokenizer = text::train_bpe(
      std::vector<std::string>{"abcabcaabb", "aaaabbbb", "cabcab", "bbaacc", "aaabcb"},
      {.min_count = 1, .added = {}});
  Generator generator(2);
  for (int i = 0; i < 2000; ++i) {
    std::string piece;
    // Short pieces and long ones are merged in different ways.
    for (int64_t length = 1 + generator.below(i % 10 == 0 ? 200 : 24); length > 0; --length)
      piece += static_cast<char>('a' + generator.below(3));
    ASSERT_EQ(test::tokens_of(tokenizer.vocabulary(), tokenizer.encode(piece)),
              plain_loop(tokenizer, piece));
  }
}

/// llama2.c's own procedure: the best pair of the whole text at a time.
std::vector<std::string> plain_loop(const std::vector<test::ScoredToken>& tokens,
                                    std::string_view text) {
  const auto score_of = [&](const std::string& token) {
    const auto place = std::find_if(tokens.begin(), tokens.end(),
                                    [&](const auto& entry) { return entry.token == token; });
    return place == tokens.end() ? -1e10F : place->score;
  };
  std::vector<std::string> symbols;
  for (char character : text) symbols.emplace_back(1, character);
  while (true) {
    size_t best = symbols.size();
    float best_score = -1e10F;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const float score = score_of(symbols[i] + symbols[i + 1]);
      if (score > best_score) best_score = score, best = i;
    }
    if (best == symbols.size()) return symbols;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

Llama2cTokenizer load_llama2c(const std::vector<test::ScoredToken>& tokens) {
  const test::TemporaryFolder folder;
  return Llama2cTokenizer::load(folder.put("tok.bin", test::llama2c_file(tokens)),
                                static_cast<int64_t>(tokens.size()));
}

TEST(Llama2cProperty, MergingAgreesWithThePlainLoop) {
  // Scores as no training would give them: products before and beside their parts, and equal ones.
  const auto tokens = test::llama2c_tokens({{"a", -9},
                                            {"b", -9},
                                            {"c", -9},
                                            {"ab", -3},
                                            {"bc", -3},
                                            {"aa", -5},
                                            {"ca", -4},
                                            {"abc", -1},
                                            {"cab", -6},
                                            {"aab", -2},
                                            {" a", -4},
                                            {"abca", -7},
                                            {"aaaa", -1}});
  const Llama2cTokenizer tokenizer = load_llama2c(tokens);
  Generator generator(4);
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (int64_t length = generator.below(24); length > 0; --length)
      text += " abc"[generator.below(4)];
    ASSERT_EQ(test::tokens_of(tokenizer.vocabulary(), tokenizer.encode_continuation(text)),
              plain_loop(tokens, text));
  }
}

TEST(Llama2cProperty, DecodingGivesBackEveryStringOfBytes) {
  const Llama2cTokenizer tokenizer =
      load_llama2c(test::llama2c_tokens({{"a", -9}, {"b", -9}, {"ab", -1}, {" a", -2}, {"é", -9}}));
  Generator generator(5);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(generator, i % 4);
    ASSERT_EQ(tokenizer.decode(tokenizer.encode_prompt(text)), text);
    ASSERT_EQ(tokenizer.decode(tokenizer.encode_continuation(text)), text);
  }
}

}  // namespace
}  // namespace rlhf
