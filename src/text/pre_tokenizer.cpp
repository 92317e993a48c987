#include "pre_tokenizer.hpp"

#include <algorithm>

#include "oniguruma.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf {

std::vector<SplitRule> gpt2_splits() {
  return {
      {.pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"}};
}

SplitRule digits_split(SplitBehavior behavior) {
  // What Unicode 17 has over 16 is spelt out.
  return {.pattern = R"([\p{N}\x{11DE0}-\x{11DE9}\x{16FF4}-\x{16FF6}])", .behavior = behavior};
}

std::vector<SplitRule> smollm_splits() {
  return {digits_split(SplitBehavior::isolated), gpt2_splits().front()};
}

namespace {

/// The rule that Llama 3 and Qwen2 share, but for how many digits make a piece.
std::vector<SplitRule> modern_splits(const std::string& numbers) {
  return {{.pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" + numbers +
                      R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}};
}

}  // namespace

std::vector<SplitRule> llama3_splits() {
  return modern_splits(R"(\p{N}{1,3})");
}

std::vector<SplitRule> qwen2_splits() {
  return modern_splits(R"(\p{N})");
}

namespace text {
namespace {

struct Part {
  size_t start, end;
  bool match;
};

/// The matches and what lies between them, end to end.
std::vector<Part> parts_of(const Pattern& pattern, std::string_view text, bool invert) {
  std::vector<Part> parts;
  size_t done = 0;
  pattern.each_match(text, [&](size_t start, size_t end) {
    if (start != done) parts.push_back({done, start, invert});
    parts.push_back({start, end, !invert});
    done = end;
  });
  if (done != text.size()) parts.push_back({done, text.size(), invert});
  return parts;
}

}  // namespace

PreTokenizer::PreTokenizer(std::vector<SplitRule> rules) : rules_(std::move(rules)) {
  for (const SplitRule& rule : rules_) {
    require_known(rule.behavior, SplitBehavior::contiguous, "SplitRule::behavior",
                  "a value of SplitBehavior");
    if (rule.pattern.empty()) {
      patterns_.emplace_back();
    } else {
      patterns_.emplace_back(std::in_place, pcre2_pattern(rule.pattern), rule.pattern);
    }
  }
}

std::vector<PreTokenizer::Stretch> PreTokenizer::stretches(size_t rule,
                                                           std::string_view text) const {
  const SplitBehavior behavior = rules_[rule].behavior;
  std::vector<Part> parts = parts_of(*patterns_[rule], text, rules_[rule].invert);
  // Merging with the next is merging with the previous, read from the right.
  const bool from_right = behavior == SplitBehavior::merged_with_next;
  if (from_right) std::reverse(parts.begin(), parts.end());
  std::vector<Stretch> found;
  bool previous_match = false;
  for (const auto& [start, end, match] : parts) {
    const bool joins = behavior == SplitBehavior::contiguous ? match == previous_match
                       : behavior == SplitBehavior::removed  ? false
                                                             : match && !previous_match;
    if (joins && !found.empty()) {
      (from_right ? found.back().start : found.back().end) = from_right ? start : end;
    } else {
      found.push_back({start, end, match && behavior == SplitBehavior::removed});
    }
    previous_match = match;
  }
  if (from_right) std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace text
}  // namespace rlhf
