/// How a tokenizer cuts text into the pieces that merges never cross: the pre-tokenizers of
/// tokenizer.json files, as rules that follow one another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rlhf {

/// What becomes of the stretches that a pattern matches.
enum class SplitBehavior : uint8_t {
  isolated,              ///< each match is a piece, and so is each stretch between two
  removed,               ///< matches are left out
  merged_with_previous,  ///< a match goes to the piece before it
  merged_with_next,      ///< a match goes to the piece after it
  contiguous,            ///< matches that touch are one piece
};

/// Cuts each piece of the rule before.
struct SplitRule {
  /// In Oniguruma's syntax, as tokenizer.json files have it; classes hold the characters of
  /// Unicode 16. Empty: nothing is cut.
  std::string pattern;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;        ///< what lies between matches counts as match, and matches do not
  bool prefix_space = false;  ///< first puts a space before a piece that does not start with one

  bool operator==(const SplitRule&) const = default;
};

/// Number characters, as the pre-tokenizer Digits of `tokenizers` has them: those of Unicode 17.
/// Isolated, each is a piece; contiguous, each run of them.
SplitRule digits_split(SplitBehavior behavior);

/// GPT-2's rule: contractions, words and numbers and runs of marks each with the space before it,
/// white space.
std::vector<SplitRule> gpt2_splits();
/// Every number character alone, then GPT-2's rule: SmolLM.
std::vector<SplitRule> smollm_splits();
/// Contractions in any case, words with one character before them that is no letter, numbers by at
/// most three, runs of marks with the line ends after them, lines ends with the space before them.
std::vector<SplitRule> llama3_splits();
/// Llama 3's rule, but every number character alone: Qwen2, Qwen2.5, Qwen3.
std::vector<SplitRule> qwen2_splits();

}  // namespace rlhf
