#include "examination.hpp"

#include "rlhf/evaluation/calibration.hpp"
#include "rlhf/rollout/sample.hpp"

namespace honesty {
namespace {

rlhf::Rollout greedy(const rlhf::CausalLM& model, const World& world,
                     const rlhf::Completions& prompts) {
  rlhf::Generator unused(0);
  return rlhf::rollout::sample(
      model, prompts,
      {.temperature = 0, .max_response_tokens = longest_answer, .end_tokens = {world.eos()}},
      unused);
}

std::vector<rlhf::Grade> grades(const World& world, const std::vector<Fact>& facts,
                                const rlhf::Completions& answered) {
  std::vector<rlhf::Grade> all;
  for (size_t i = 0; i < facts.size(); ++i) {
    all.push_back(world.grade(facts[i], answered.response(static_cast<int64_t>(i))));
  }
  return all;
}

rlhf::evaluation::AnswerCounts counts(const rlhf::CausalLM& model, const World& world,
                                      const std::vector<Fact>& facts) {
  return rlhf::evaluation::count(
      grades(world, facts, greedy(model, world, world.questions(facts)).completions));
}

}  // namespace

rlhf::evaluation::AnswerCounts Examination::all() const {
  auto sum = known;
  return sum += unknown;
}

double Examination::truthfulness() const {
  return all().malformed_as_wrong().truthfulness();
}

Examination examine(const rlhf::CausalLM& model, const World& world, const Facts& facts) {
  return {.known = counts(model, world, facts.known),
          .unknown = counts(model, world, facts.unknown)};
}

Guesses guess(const rlhf::CausalLM& model, const World& world, const Facts& facts) {
  rlhf::NoGrad no_grad;
  std::vector<Fact> all = facts.known;
  all.insert(all.end(), facts.unknown.begin(), facts.unknown.end());
  const rlhf::Completions questions = world.questions(all);
  rlhf::KvCache cache = model.begin(questions);
  rlhf::Tensor logits = model.step(cache, rlhf::rollout::last_prompt_tokens(questions));
  logits.select(1, world.abstention().front()).fill_(-std::numeric_limits<float>::infinity());
  const auto [confidence, first] = torch::softmax(logits, 1).max(1);

  // The rest of the answer follows greedily.
  std::vector<std::vector<int64_t>> begun;
  const auto first_tokens = rlhf::int64_vector(first);
  for (int64_t i = 0; i < questions.size(); ++i) {
    begun.push_back(questions.prompt(i));
    begun.back().push_back(first_tokens[static_cast<size_t>(i)]);
  }
  const rlhf::Completions rest = greedy(model, world, rlhf::completions_from(begun)).completions;
  rlhf::Tensor right = torch::zeros({questions.size()}, torch::kBool);
  for (size_t i = 0; i < all.size(); ++i) {
    std::vector<int64_t> answer{first_tokens[i]};
    const auto tail = rest.response(static_cast<int64_t>(i));
    answer.insert(answer.end(), tail.begin(), tail.end());
    right[static_cast<int64_t>(i)] = world.grade(all[i], answer) == rlhf::Grade::right;
  }
  const auto known = static_cast<int64_t>(facts.known.size());
  return {.confidence = confidence,
          .right = right,
          .is_known = torch::arange(questions.size()) < known};
}

double Guesses::auc() const {
  return rlhf::evaluation::auc(confidence, is_known);
}

std::vector<ShownAnswer> show(const rlhf::CausalLM& model, const World& world,
                              const std::vector<Fact>& facts) {
  const rlhf::Completions answered = greedy(model, world, world.questions(facts)).completions;
  const auto graded = grades(world, facts, answered);
  std::vector<ShownAnswer> shown;
  for (size_t i = 0; i < facts.size(); ++i) {
    shown.push_back({.text = world.tokenizer().decode(answered.response(static_cast<int64_t>(i))),
                     .grade = graded[i]});
  }
  return shown;
}

}  // namespace honesty
