/// What an answer is worth to someone who asked: right, abstaining, wrong, or no answer at all.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "rlhf/core/error.hpp"
#include "rlhf/core/tokenizer.hpp"

namespace rlhf {

enum class Grade : uint8_t { right, abstains, wrong, malformed };

/// "right", "abstains", "wrong", "malformed".
std::string_view name_of(Grade grade);

/// An answer as it is compared: ASCII letters in lower case, no ASCII punctuation, no typographic
/// quotes, single spaces, no leading article that something follows. "The Hague." -> "hague".
/// After SQuAD's exact match (Rajpurkar et al. 2016, arXiv 1606.05250), which drops all articles.
std::string normalised_answer(std::string_view text);

struct AnswerGraderOptions {
  std::string gold_field = "answer";  ///< of the data row: a string, or an array of strings of
                                      ///< which any is right (an empty one: no answer is right)
  std::vector<std::string> abstentions = {"I don't know",  "I do not know",  "I'm not sure",
                                          "I am not sure", "I can't answer", "I cannot answer",
                                          "I have no idea"};
  std::vector<std::string> allowed = {};  ///< closed list of answers beside the gold one; what is
                                          ///< not on it is malformed. Empty: any text is an answer
};

/// Compares normalised text. In this order: equal to a gold answer is right; an abstention phrase
/// among its words abstains; no text, or text that is not allowed, is malformed; else wrong.
class AnswerGrader {
 public:
  explicit AnswerGrader(AnswerGraderOptions options = {});

  /// @throws Error where the row's gold field is missing or of another type
  Grade operator()(std::string_view prompt, std::string_view response,
                   const nlohmann::json& row) const;

 private:
  std::string gold_field_;
  std::vector<std::string> abstentions_;
  std::unordered_set<std::string> allowed_;
};

/// Why a model will hardly learn to say some of these phrases, or a grader to see them, with this
/// tokenizer; a sentence each. It may spell a phrase letter by letter, or not give it back as it
/// was, as where a word is missing.
template <Tokenizer T>
std::vector<std::string> phrase_warnings(const T& tokenizer, std::span<const std::string> phrases) {
  std::vector<std::string> warnings;
  for (const std::string& phrase : phrases) {
    std::vector<int64_t> tokens;
    try {
      tokens = tokenizer.encode(phrase);
    } catch (const Error& error) {
      warnings.push_back("\"" + phrase + "\" cannot be written in tokens: " + error.what());
      continue;
    }
    const std::string back = tokenizer.decode(tokens);
    if (normalised_answer(back) != normalised_answer(phrase)) {
      warnings.push_back("\"" + phrase + "\" comes back from the tokenizer as \"" + back + "\"");
    } else if (phrase.size() > 1 && tokens.size() >= phrase.size()) {
      warnings.push_back("\"" + phrase + "\" is spelt letter by letter, in " +
                         std::to_string(tokens.size()) + " tokens");
    }
  }
  return warnings;
}

}  // namespace rlhf
