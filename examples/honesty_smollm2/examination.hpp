/// What a model answers, and how sure it is.
#pragma once

#include <string>
#include <vector>

#include "rlhf/evaluation/answer_counts.hpp"
#include "rlhf/evaluation/probe.hpp"
#include "rlhf/evaluation/probe_summary.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/rollout/sampling.hpp"
#include "world.hpp"

namespace honesty_smollm2 {

/// Responses to prompts, by row and sample; so many prompts at a time that memory stays small.
std::vector<std::vector<int64_t>> responses(const rlhf::CausalLM& model,
                                            const rlhf::Completions& prompts,
                                            const rlhf::SamplingOptions& sampling,
                                            rlhf::Generator& generator);

/// Greedy answers, as text and grade.
struct Answer {
  std::string text;
  rlhf::Grade grade;
};
std::vector<Answer> answers(const rlhf::CausalLM& model, const World& world,
                            const std::vector<Place>& places);

rlhf::evaluation::AnswerCounts examine(const rlhf::CausalLM& model, const World& world,
                                       const std::vector<Place>& places);

/// By place: whether the model, before it has learnt anything here, names its country and no other
/// in what it says of itself.
std::vector<bool> knows(const rlhf::CausalLM& pretrained, const World& world,
                        const std::vector<Place>& places);

/// Places by what the pretrained model knows.
struct Sorted {
  std::vector<Place> known, unknown, invented;

  Sorted(const Places& places, const rlhf::CausalLM& pretrained, const World& world);
  std::vector<Place> all() const;
};

/// A model on the test questions.
struct Examination {
  rlhf::evaluation::AnswerCounts known, unknown, invented;

  rlhf::evaluation::AnswerCounts all() const;
};
Examination examine(const rlhf::CausalLM& model, const World& world, const Sorted& test);

/// How the model was taught to answer, if at all.
enum class Wording : uint8_t { own, taught };

/// What it answers where it must name a country, "I don't know" barred, and how sure it is.
rlhf::evaluation::Probed probed(const rlhf::CausalLM& model, const World& world,
                                const std::vector<Place>& places, Wording wording);
/// Whether its sureness tells right answers from wrong ones, and real places from invented ones.
rlhf::evaluation::ProbeSummary sureness(const rlhf::evaluation::Probed& probed, const Sorted& test);

}  // namespace honesty_smollm2
