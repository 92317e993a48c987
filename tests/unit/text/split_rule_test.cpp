#include "rlhf/text/split_rule.hpp"

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

using Rules = std::vector<SplitRule>;

/// The pieces of a text, each in brackets: a tokenizer of whole pieces shows them.
class Pieces {
 public:
  explicit Pieces(Rules rules) : rules_(std::move(rules)) {}

  std::vector<std::string> operator()(const std::string& text) const {
    // Every stretch of the text is a token, so that each piece is one.
    BpeParts parts = test::small_bpe({});
    const std::string spaced = " " + text;
    std::set<std::string> seen(parts.tokens.begin(), parts.tokens.end());
    for (size_t at = 0; at < spaced.size(); ++at) {
      for (size_t length = 1; at + length <= spaced.size(); ++length) {
        const std::string token = spaced.substr(at, length);
        for (const std::string& either : {token, " " + token}) {
          if (seen.insert(either).second) parts.tokens.push_back(either);
        }
      }
    }
    parts.rules.splits = rules_;
    parts.rules.ignore_merges = true;
    const ByteLevelBpe tokenizer(std::move(parts));
    return test::tokens_of(tokenizer.vocabulary(), tokenizer.encode(text));
  }

 private:
  Rules rules_;
};

Pieces cut_at_dashes(SplitBehavior behavior, bool invert = false) {
  return Pieces({{.pattern = "-", .behavior = behavior, .invert = invert}});
}

TEST(SplitRule, BehavesAsItsBehaviorSays) {
  const std::string text = "the-final--countdown";
  EXPECT_THAT(cut_at_dashes(SplitBehavior::isolated)(text),
              ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(cut_at_dashes(SplitBehavior::removed)(text),
              ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(cut_at_dashes(SplitBehavior::merged_with_previous)(text),
              ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(cut_at_dashes(SplitBehavior::merged_with_next)(text),
              ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(cut_at_dashes(SplitBehavior::contiguous)(text),
              ElementsAre("the", "-", "final", "--", "countdown"));
}

TEST(SplitRule, InvertedTakesWhatLiesBetweenForMatches) {
  const std::string text = "the--final-";
  EXPECT_THAT(cut_at_dashes(SplitBehavior::removed, true)(text), ElementsAre("-", "-", "-"));
  EXPECT_THAT(cut_at_dashes(SplitBehavior::contiguous, true)(text),
              ElementsAre("the", "--", "final", "-"));
  EXPECT_THAT(cut_at_dashes(SplitBehavior::merged_with_next, true)(text),
              ElementsAre("the-", "-", "final-"));
}

TEST(SplitRule, RulesFollowOneAnother) {
  EXPECT_THAT(Pieces(smollm_splits())("in 2024, x"),
              ElementsAre("in", " ", "2", "0", "2", "4", ",", " x"));
  EXPECT_THAT(Pieces(gpt2_splits())("in 2024, x"), ElementsAre("in", " 2024", ",", " x"));
  EXPECT_THAT(Pieces(llama3_splits())("in 2024, x\n\n y"),
              ElementsAre("in", " ", "202", "4", ",", " x", "\n\n", " y"));
  EXPECT_THAT(Pieces(qwen2_splits())("I'LL 24"), ElementsAre("I", "'LL", " ", "2", "4"));
}

TEST(SplitRule, ASpaceIsPutBeforeEachPieceThatHasNone) {
  EXPECT_THAT(Pieces({{.pattern = {}, .prefix_space = true}})("ab"), ElementsAre(" ab"));
  EXPECT_THAT(Pieces({{.pattern = {}, .prefix_space = true}})(" ab"), ElementsAre(" ab"));
  EXPECT_THAT(Pieces({{.pattern = "-"}, {.pattern = {}, .prefix_space = true}})("a- b"),
              ElementsAre(" a", " -", " b"));
}

TEST(SplitRule, AnEmptyMatchCuts) {
  EXPECT_THAT(Pieces({{.pattern = "(?=x)"}})("axxbx"), ElementsAre("a", "x", "xb", "x"));
  EXPECT_THAT(Pieces({{.pattern = "b*"}})("abba"), ElementsAre("a", "bb", "a"));
}

TEST(SplitRule, ClassesMayHoldComplementsAndClasses) {
  EXPECT_THAT(Pieces({{.pattern = R"([\P{L}e]+)"}})("ab12eé3f"),
              ElementsAre("ab", "12e", "é", "3", "f"));
  EXPECT_THAT(Pieces({{.pattern = R"([^\S\n]+)"}})("a \t\n b"),
              ElementsAre("a", " \t", "\n", " ", "b"));
  EXPECT_THAT(Pieces({{.pattern = R"([[ab]c-]+)"}})("ca-dab"), ElementsAre("ca-", "d", "ab"));
  EXPECT_THAT(Pieces({{.pattern = R"([^[^ab]\d]+)"}})("1abx2b"), ElementsAre("1", "ab", "x2", "b"));
}

TEST(SplitRule, OptionsBoundariesAndAnchorsAreOnigurumas) {
  EXPECT_THAT(Pieces({{.pattern = "(?i:ab)"}})("abAB"), ElementsAre("ab", "AB"));
  EXPECT_THAT(Pieces({{.pattern = "(?m:a.b)"}})("a\nb"), ElementsAre("a\nb"));
  EXPECT_THAT(Pieces({{.pattern = "a.b"}})("a\nb"), ElementsAre("a\nb"));
  EXPECT_THAT(Pieces({{.pattern = "^x"}})("x\nxx"), ElementsAre("x", "\n", "x", "x"));
  EXPECT_THAT(Pieces({{.pattern = R"(\bx\b)"}})("x xy"), ElementsAre("x", " xy"));
  EXPECT_THAT(Pieces({{.pattern = R"(\h{2})"}})("fz1A"), ElementsAre("fz", "1A"));
  EXPECT_THAT(Pieces({{.pattern = R"(\x{e9}|\u4e2d)"}})("aé中"), ElementsAre("a", "é", "中"));
  EXPECT_THAT(Pieces({{.pattern = "a{,2}"}})("baaa"), ElementsAre("b", "aa", "a"));
}

TEST(SplitRule, ConstructsThatTheTwoReadDifferentlyAreRefused) {
  for (const auto& [pattern, construct] : std::vector<std::pair<std::string, std::string>>{
           {R"(\p{Cyrillic})", "the property \"Cyrillic\""},
           {"[a&&b]", "&& in a class"},
           {"[[:alpha:]]", "a POSIX class"},
           {"[]a]", "a class that starts with ]"},
           {"(?x: a)", "the group (?"},
           {"a(?i)b", "the group (?i)"},
           {"(?<name>a)", "the group (?"},
           {"a{1,3}+", "the interval {1,3}+"},
           {"a{2}?", "the interval {2}?"},
           {R"(\G)", "\\G"},
           {R"(\k<a>)", "\\k"},
           {R"([a-\d])", "a range that ends in a set"},
           {"[a", "an end where more must follow"},
           {"a\\", "an end where more must follow"},
           {R"(\x{})", "a character's number without digits"}}) {
    BpeParts parts = test::small_bpe({});
    parts.rules.splits = {{.pattern = pattern}};
    EXPECT_THAT(error_of([&] { ByteLevelBpe{parts}; }),
                HasSubstr("constructs that this program knows exactly, got " + construct))
        << pattern;
  }
  BpeParts parts = test::small_bpe({});
  parts.rules.splits = {{.pattern = std::string(1000, '[')}};
  EXPECT_THAT(error_of([&] { ByteLevelBpe{parts}; }), HasSubstr("classes within classes too deep"));
}

}  // namespace
}  // namespace rlhf
