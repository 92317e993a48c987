/// What a model knows, before it is trained: how sure it is of its answers, and whether it gives
/// the same one again. Where these tell right from wrong, abstention can be taught.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/evaluation/answer_counts.hpp"
#include "rlhf/rollout/barred.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/text/answer.hpp"

namespace rlhf::evaluation {

struct ProbeOptions {
  int64_t samples = 8;               ///< a question, beside the greedy answer; 0: confidence alone
  double temperature = 1.0;          ///< of the samples; confidence is at 1
  int64_t top_k = 0;                 ///< of the samples, as in SamplingOptions
  double top_p = 1.0;                ///< of the samples
  int64_t answer_tokens = 4;         ///< first tokens of the greedy answer that confidence is of
  int64_t max_response_tokens = 32;  ///< of every answer
  std::optional<std::vector<int64_t>> end_tokens = {};  ///< absent: the tokenizer's
  std::vector<int64_t> barred = {};  ///< no answer begins with them; see rollout::first_tokens
  int64_t token_budget = 0;          ///< tokens that are sampled together, prompts and room for the
                                     ///< responses; 0: all at once

  /// @throws Error naming the field
  void validate() const;
};

/// What an answer to question `row` of the prompts is worth. What abstains is no answer: it agrees
/// with nothing, has no confidence, and is neither right nor wrong. To whom an abstention is an
/// answer like others, or the right one to this question, grades it so.
using GradeOfAnswer = std::function<Grade(int64_t row, std::string_view answer)>;

/// An answer's meaning as a string: answers that give the same one say the same.
using MeaningOfAnswer = std::function<std::string(std::string_view answer)>;

/// n questions and what the model answered.
struct Probed {
  Completions answers;             ///< the prompts with their greedy answers
  std::vector<std::string> texts;  ///< [n], greedy answers without end token
  std::vector<Grade> grades;       ///< [n], of the greedy answers
  Tensor confidence;  ///< float64 [n]: product of the probabilities of the greedy answer's first
                      ///< tokens (all that it has, its end included, where it has fewer), among
                      ///< those not barred; 0 where it abstains

  // Without samples these are empty, the tensors undefined.
  std::vector<std::vector<std::string>> samples;  ///< [n][samples]
  AnswerCounts sampled;       ///< over all samples: what training by reward would see
  Tensor agreement;           ///< float64 [n]: share of the samples that are the greedy answer
  Tensor semantic_agreement;  ///< float64 [n]: the same by meaning
  Tensor semantic_entropy;    ///< float64 [n], nats: of the samples' meanings

  int64_t size() const { return std::ssize(grades); }
  Tensor right() const;     ///< bool [n]
  Tensor answered() const;  ///< bool [n]: the greedy answer does not abstain
};

namespace detail {

struct Asked {
  std::function<Rollout(const Completions&, const SamplingOptions&, Generator&)> sample;
  std::function<std::string(std::span<const int64_t>)> decode;
};
Probed probe(const Completions& prompts, const Asked& model, const GradeOfAnswer& grade,
             const ProbeOptions& options, Generator& generator, const MeaningOfAnswer& meaning);

}  // namespace detail

/// Asks a Decoder every question, greedily and `samples` times. A question's answers do not depend
/// on the others; afterwards the generator advances one step.
///
/// Confidence and exact agreement are for short answers. Where the model answers in sentences,
/// their first tokens and their wording tell little of what it knows: ask so that it answers
/// shortly, or let `meaning` find the answer in the sentence, and read the semantic measures.
///
///     const AnswerGrader grader;
///     auto probed = probe(model, prompts, tokenizer,
///                         [&](int64_t row, std::string_view answer) {
///                           return grader("", answer, rows[static_cast<size_t>(row)]);
///                         }, {.max_response_tokens = 12}, generator);
///     std::cout << summarise(probed).table();                          // probe_summary.hpp
///
/// @param prompts  completions with empty responses, ids (where there are any) each once
/// @param meaning  short answers by default: letter case, punctuation and a leading article aside
/// @throws Error   from options.validate(), for no prompts, prompts with responses, an id that
///                 stands twice, an end or barred token that cannot be, and logits that are NaN
/// Source: agreement as a confidence: Wang et al. 2022, arXiv 2203.11171; by meaning: Kuhn et al.
/// 2023, arXiv 2302.09664. See consistency.hpp.
template <class D, class T>
Probed probe(D& model, const Completions& prompts, const T& tokenizer, const GradeOfAnswer& grade,
             ProbeOptions options, Generator& generator,
             const MeaningOfAnswer& meaning = normalised_answer) {
  static_assert(require_decoder<D>());
  static_assert(require_tokenizer<T>());
  if (!options.end_tokens) options.end_tokens = tokenizer.end_tokens();
  rollout::Barred<D> decoder(model, options.barred);
  const detail::Asked asked{
      .sample = [&](const Completions& some, const SamplingOptions& sampling,
                    Generator& draws) { return rollout::sample(decoder, some, sampling, draws); },
      .decode = [&](std::span<const int64_t> tokens) -> std::string {
        return tokenizer.decode(tokens, SpecialTokens::drop);
      }};
  return detail::probe(prompts, asked, grade, options, generator, meaning);
}

}  // namespace rlhf::evaluation
