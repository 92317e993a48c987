/// What is written, asked, answered and judged: the texts of every stage, as tokens.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "facts.hpp"
#include "made_up_names.hpp"
#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/text/answer.hpp"
#include "rlhf/text/byte_level_bpe.hpp"

namespace honesty {

/// Tokens that the longest right answer takes, its end token included.
inline constexpr int64_t longest_answer = 7;

/// The facts and their texts. Everything drawn at random comes from the generator given.
///
///     statement       " Lima is in Peru."   " Lima, Peru."
///     corpus question " Q: Where is Lima? A: Peru."
///     comprehension   " Zalmo is in Peru. Q: Where is Zalmo? A: Peru."     made-up places
///     the question    " Where is Lima? A:"                                 of SFT, RM, PPO and
///     test the judge's     " Lima is in Peru. Where is Lima? A:"                may look things up
class World {
 public:
  /// @throws rlhf::Error if the table has too few facts
  World(const std::vector<Fact>& facts, const SplitCounts& counts, uint64_t seed);

  /// City names are spelt in byte pairs learnt on the known ones; other words are tokens.
  const rlhf::ByteLevelBpe& tokenizer() const { return tokenizer_; }
  const Splits& splits() const { return splits_; }
  int64_t eos() const { return eos_; }

  /// One epoch of pretraining: statements and corpus questions of all known cities, and
  /// comprehension rows. The prompt is <bos>, all the rest counts.
  rlhf::Completions corpus(rlhf::Generator& generator) const;
  /// Rows like the corpus' for later stages, where validation and test cities are only stated,
  /// never asked about.
  rlhf::Completions mix(int64_t rows, rlhf::Generator& generator) const;
  /// Every question of SFT once, answered rightly or, at the given rate, with "I don't know.",
  /// whether or not the model could know.
  rlhf::Completions demonstrations(double abstention_rate, rlhf::Generator& generator) const;

  /// The prompts, fact i with id i.
  rlhf::Completions questions(std::span<const Fact> facts) const;
  /// What the judge reads: fact, question, answer. One answer a fact, as tokens.
  rlhf::Completions judged(std::span<const Fact> facts,
                           const std::vector<std::vector<int64_t>>& answers) const;
  /// Places that do not exist, in any of the countries.
  std::vector<Fact> made_up(int64_t count, rlhf::Generator& generator) const;

  /// " Peru." and the end token.
  std::vector<int64_t> answer(const std::string& country) const;
  /// " I don't know." and the end token.
  const std::vector<int64_t>& abstention() const { return abstention_; }
  rlhf::Grade grade(const Fact& fact, std::span<const int64_t> response) const;

 private:
  std::vector<int64_t> row(const std::string& text) const;  // with the end token
  std::vector<int64_t> comprehension(rlhf::Generator& generator) const;
  rlhf::Completions texts_of(const std::vector<std::vector<int64_t>>& rows) const;

  std::vector<std::string> countries_;
  MadeUpNames names_;
  Splits splits_;
  rlhf::ByteLevelBpe tokenizer_;
  int64_t bos_, eos_;
  std::vector<int64_t> abstention_;
  std::set<std::vector<int64_t>> answers_;            // of all countries
  std::vector<std::vector<int64_t>> statements_;      // of all known cities
  std::vector<std::vector<int64_t>> questions_;       // corpus questions of all known cities
  std::vector<std::vector<int64_t>> open_questions_;  // of those of SFT and practice alone
};

}  // namespace honesty
