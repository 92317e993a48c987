/// A made-up world in text: a passage states where some places are, a question asks about one.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/text/answer.hpp"
#include "rlhf/text/word_tokenizer.hpp"

namespace scale {

/// Tokens of the longest answer, its end token included.
inline constexpr int64_t longest_answer = 5;

/// A place has two names, each of hundreds of words; a tenth of the pairs is held out.
enum class Places : uint8_t { practised, held_out };

/// Questions and their right answers.
struct Questions {
  rlhf::Completions prompts;                  ///< question i with id i
  std::vector<std::vector<int64_t>> answers;  ///< of question i, with the end token

  int64_t size() const { return prompts.size(); }
};

/// One to three facts and a question:
///
///     " Zalmo Kerit is in Peru. Tuva Nolim is in Chile. Where is Tuva Nolim?"    " Chile."
///     a quarter asks about a place that the passage does not name                " I don't know."
class World {
 public:
  explicit World(uint64_t seed);

  /// A token a word, as many words as the model shape `tiny` has embeddings.
  const rlhf::WordTokenizer& tokenizer() const { return tokenizer_; }
  int64_t eos() const { return tokenizer_.end_tokens().front(); }

  Questions questions(int64_t count, Places places, rlhf::Generator& generator) const;
  /// The grade of each response: `answered` holds answers to these questions, by their ids.
  std::vector<rlhf::Grade> grades(const Questions& questions,
                                  const rlhf::Completions& answered) const;

 private:
  std::string place(Places places, rlhf::Generator& generator) const;
  std::vector<int64_t> response(const std::string& text) const;  // with the end token

  std::vector<std::string> names_;
  rlhf::WordTokenizer tokenizer_;
  std::vector<int64_t> abstention_;
  std::set<std::vector<int64_t>> answers_;  // of all countries
};

}  // namespace scale
