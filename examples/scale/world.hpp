/// A made-up world in text: places, a few facts about each, and many ways to ask for one.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/text/answer.hpp"
#include "rlhf/text/word_tokenizer.hpp"

namespace scale {

/// Tokens of the longest answer, its end token included.
inline constexpr int64_t longest_answer = 5;

/// A wording is one way to ask for one fact. A tenth of them is held out: other wordings of the
/// same facts are practised.
enum class Wordings : uint8_t { practised, held_out };

/// Questions and their right answers.
struct Questions {
  rlhf::Completions prompts;                  ///< question i with id i
  std::vector<std::vector<int64_t>> answers;  ///< of question i, with the end token

  int64_t size() const { return prompts.size(); }
};

/// Of every place it is certain, but for a tenth of the facts that nobody knows, in which country
/// it lies, what grows there, what is made there and who rules it.
///
///     " Good morning to you. Where is Zalmo? Please be brief."     " Peru."
///     " Tell me this: what grows in Kerit?"                        " I don't know."
class World {
 public:
  explicit World(uint64_t seed);

  /// A token a word; fewer words than the model shape `tiny` has embeddings.
  const rlhf::WordTokenizer& tokenizer() const { return tokenizer_; }
  int64_t eos() const { return tokenizer_.end_tokens().front(); }
  /// " I don't know." and the end token.
  const std::vector<int64_t>& abstention() const { return abstention_; }

  /// What there is to read about the facts that are known: " Zalmo lies in Peru.", and as often the
  /// bare question with its answer. The first token is the prompt, all others count.
  rlhf::Completions corpus(int64_t count, rlhf::Generator& generator) const;
  Questions questions(int64_t count, Wordings wordings, rlhf::Generator& generator) const;
  /// The grade of each response: `answered` holds answers to these questions, by their ids.
  std::vector<rlhf::Grade> grades(const Questions& questions,
                                  const rlhf::Completions& answered) const;

 private:
  std::vector<int64_t> response(const std::string& text) const;  // with the end token

  std::vector<std::string> names_;
  rlhf::WordTokenizer tokenizer_;
  std::vector<int64_t> abstention_;
  std::vector<std::vector<std::vector<int64_t>>> facts_;  // by place, by kind: the right answer
  std::set<std::vector<int64_t>> answers_;                // every answer to any question
};

}  // namespace scale
