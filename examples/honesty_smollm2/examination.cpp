#include "examination.hpp"

#include "rlhf/rollout/sample.hpp"

namespace honesty_smollm2 {
namespace {

constexpr int64_t prompts_at_a_time = 96;
constexpr int64_t free_answer = 24;  ///< tokens of an answer in the model's own words

std::vector<std::vector<int64_t>> greedy(const rlhf::CausalLM& model, const World& world,
                                         const rlhf::Completions& prompts, int64_t tokens) {
  rlhf::Generator unused(0);
  return responses(model, prompts,
                   {.temperature = 0,
                    .max_response_tokens = tokens,
                    .end_tokens = world.tokenizer().end_tokens()},
                   unused);
}

}  // namespace

std::vector<std::vector<int64_t>> responses(const rlhf::CausalLM& model,
                                            const rlhf::Completions& prompts,
                                            const rlhf::SamplingOptions& sampling,
                                            rlhf::Generator& generator) {
  std::vector<std::vector<int64_t>> all;
  for (const rlhf::Tensor& rows : torch::arange(prompts.size()).split(prompts_at_a_time)) {
    const rlhf::Rollout rollout =
        rlhf::rollout::sample(model, select(prompts, rows), sampling, generator);
    for (auto& response : rlhf::responses_of(rollout.completions)) {
      all.push_back(std::move(response));
    }
  }
  return all;
}

std::vector<Answer> answers(const rlhf::CausalLM& model, const World& world,
                            const std::vector<Place>& places) {
  const auto answered = greedy(model, world, world.questions(places), longest_answer);
  std::vector<Answer> all;
  for (size_t i = 0; i < places.size(); ++i) {
    all.push_back({.text = world.tokenizer().decode(answered[i]),
                   .grade = world.grade(places[i], answered[i])});
  }
  return all;
}

rlhf::evaluation::AnswerCounts examine(const rlhf::CausalLM& model, const World& world,
                                       const std::vector<Place>& places) {
  rlhf::evaluation::AnswerCounts counts;
  for (const Answer& answer : answers(model, world, places)) counts.add(answer.grade);
  return counts;
}

std::vector<bool> knows(const rlhf::CausalLM& pretrained, const World& world,
                        const std::vector<Place>& places) {
  const auto answered = greedy(pretrained, world, world.questions(places), free_answer);
  std::vector<bool> known;
  for (size_t i = 0; i < places.size(); ++i) {
    known.push_back(world.names_only(world.tokenizer().decode(answered[i]), places[i].country));
  }
  return known;
}

Sorted::Sorted(const Places& places, const rlhf::CausalLM& pretrained, const World& world)
    : invented(places.invented) {
  const std::vector<bool> known_ones = knows(pretrained, world, places.real);
  for (size_t i = 0; i < places.real.size(); ++i) {
    (known_ones[i] ? known : unknown).push_back(places.real[i]);
  }
}

std::vector<Place> Sorted::all() const {
  std::vector<Place> all = known;
  all.insert(all.end(), unknown.begin(), unknown.end());
  all.insert(all.end(), invented.begin(), invented.end());
  return all;
}

rlhf::evaluation::AnswerCounts Examination::all() const {
  auto sum = known;
  sum += unknown;
  return sum += invented;
}

Examination examine(const rlhf::CausalLM& model, const World& world, const Sorted& test) {
  return {.known = examine(model, world, test.known),
          .unknown = examine(model, world, test.unknown),
          .invented = examine(model, world, test.invented)};
}

rlhf::evaluation::Probed probed(const rlhf::CausalLM& model, const World& world,
                                const std::vector<Place>& places, Wording wording) {
  const bool taught = wording == Wording::taught;
  const auto grade = [&](int64_t row, std::string_view text) {
    const Place& place = places[static_cast<size_t>(row)];
    const bool right = !place.is_invented() && world.names_only(std::string(text), place.country);
    return right ? rlhf::Grade::right : rlhf::Grade::wrong;
  };
  rlhf::Generator generator(1);
  return rlhf::evaluation::probe(
      model, taught ? world.questions(places) : world.begun(places), world.tokenizer(), grade,
      {.samples = 6,
       .answer_tokens = 2,
       .max_response_tokens = taught ? longest_answer : free_answer,
       .barred = taught ? std::vector<int64_t>{world.abstention().front()} : std::vector<int64_t>{},
       .token_budget = 4096},
      generator, [&](std::string_view text) { return world.meaning(text); });
}

rlhf::evaluation::ProbeSummary sureness(const rlhf::evaluation::Probed& probed,
                                        const Sorted& test) {
  const int64_t all = probed.size(), real = all - std::ssize(test.invented);
  return rlhf::evaluation::summarise(probed, {.marked = torch::arange(all) < real, .mark = "real"});
}

}  // namespace honesty_smollm2
