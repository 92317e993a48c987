/// What a model answers, and how sure it is.
#pragma once

#include <string>
#include <vector>

#include "rlhf/evaluation/answer_counts.hpp"
#include "rlhf/evaluation/risk_coverage.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "world.hpp"

namespace honesty {

/// Greedy answers to questions.
struct Examination {
  rlhf::evaluation::AnswerCounts known, unknown;

  rlhf::evaluation::AnswerCounts all() const;
  /// (right - wrong) / all questions, a malformed answer as bad as a wrong one.
  double truthfulness() const;
};

Examination examine(const rlhf::CausalLM& model, const World& world, const Facts& facts);

/// The best answer when "I don't know" is not allowed, known questions first.
struct Guesses {
  rlhf::Tensor
      confidence;         ///< float [n]: probability of the answer's first token, abstention barred
  rlhf::Tensor right;     ///< bool [n]
  rlhf::Tensor is_known;  ///< bool [n]

  /// How well confidence tells known from unknown.
  double auc() const;
};

Guesses guess(const rlhf::CausalLM& model, const World& world, const Facts& facts);

/// Sampled or greedy answers as text and grade, for showing.
struct ShownAnswer {
  std::string text;
  rlhf::Grade grade;
};
std::vector<ShownAnswer> show(const rlhf::CausalLM& model, const World& world,
                              const std::vector<Fact>& facts);

}  // namespace honesty
