#include "stages.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "../honesty/timed.hpp"
#include "examination.hpp"
#include "rlhf/data/loader.hpp"
#include "rlhf/io/gguf.hpp"
#include "rlhf/io/gguf_tokenizer.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/model/gguf.hpp"
#include "rlhf/report/console.hpp"
#include "rlhf/report/history.hpp"
#include "rlhf/report/jsonl.hpp"
#include "rlhf/report/sinks.hpp"
#include "rlhf/reward/abstention.hpp"
#include "rlhf/reward/shaping.hpp"
#include "rlhf/reward/text_reward.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/text/gguf_tokenizer.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"
#include "rlhf/trainer/train.hpp"

namespace honesty_smollm2 {
namespace {

/// Random numbers of a stage: a function of the seed and the stage alone, so that a stage which is
/// taken up again draws what it drew.
rlhf::Generator generator_of(const Settings& settings, uint64_t stage) {
  return rlhf::Generator(settings.seed * 100 + stage);
}

rlhf::Sinks sinks_for(const std::filesystem::path& folder, int64_t steps,
                      std::vector<std::string> metrics) {
  std::filesystem::create_directories(folder);
  return rlhf::Sinks(rlhf::ConsoleProgress({.label = folder.filename().string(),
                                            .total_steps = steps,
                                            .metrics = std::move(metrics),
                                            .line_every = std::max<int64_t>(1, steps / 10)}),
                     rlhf::JsonlSink(folder / "metrics.jsonl"));
}

/// All steps, taken up where an earlier process left them.
template <class Trainer, class Loader>
void run_to_end(Trainer& trainer, Loader& loader, int64_t steps, std::vector<std::string> metrics,
                const std::filesystem::path& folder) {
  rlhf::Sinks sinks = sinks_for(folder, steps, std::move(metrics));
  rlhf::Run run{folder / "run", {{"trainer", trainer}, {"loader", loader}, {"sinks", sinks}}};
  train(
      trainer, [&] { return loader.next(); }, {.steps = steps}, sinks, {}, nullptr, &run);
}

rlhf::Completions demonstrations(const World& world, const std::vector<Place>& places,
                                 double abstention_rate, rlhf::Generator& generator) {
  std::vector<std::vector<int64_t>> answers;
  for (const Place& place : places) {
    answers.push_back(generator.uniform() < abstention_rate ? world.abstention()
                                                            : world.answer(place.country));
  }
  return rlhf::with_responses(world.questions(places), answers);
}

/// The fields of a question's data row, by which rewards look the place up.
std::vector<nlohmann::json> rows_of(const std::vector<Place>& places) {
  std::vector<nlohmann::json> rows;
  for (const Place& place : places) {
    rows.push_back({{"name", place.name}, {"country", place.country}});
  }
  return rows;
}

Place place_of(const nlohmann::json& row) {
  return {.name = row.at("name").get<std::string>(),
          .country = row.at("country").get<std::string>()};
}

rlhf::ScalarModel scalar_model(const rlhf::CausalLM& base, const Settings& settings, double std,
                               rlhf::Generator& generator) {
  return {base.trunk().with_adapters(settings.lora, generator), std, generator};
}

/// The judge sees text alone, and the fact. What it has judged once it remembers.
rlhf::TextReward judge_of(const rlhf::RewardModel& model, const World& world,
                          const std::vector<Place>& places) {
  using Scores = std::unordered_map<std::string, float>;
  const auto known = std::make_shared<Scores>();
  const auto score = [&model, &world, known](std::span<const rlhf::TextPair> pairs) {
    rlhf::NoGrad no_grad;
    std::vector<Place> asked;
    std::vector<std::vector<int64_t>> answers;
    std::vector<std::string> keys, missing;
    std::set<std::string> seen;
    for (const rlhf::TextPair& pair : pairs) {
      const Place place = place_of(*pair.row);
      keys.push_back(place.name + "\n" + std::string(pair.response));
      if (known->contains(keys.back()) || !seen.insert(keys.back()).second) continue;
      missing.push_back(keys.back());
      asked.push_back(place);
      answers.push_back(world.tokenizer().encode(pair.response));
    }
    if (!missing.empty()) {
      const rlhf::Tensor scores = model.score(world.judged(asked, answers)).contiguous();
      for (size_t i = 0; i < missing.size(); ++i) {
        (*known)[missing[i]] = scores.const_data_ptr<float>()[i];
      }
    }
    std::vector<float> scores;
    for (const std::string& key : keys) scores.push_back(known->at(key));
    return scores;
  };
  return {world.tokenizer(), score, rows_of(places), {.in_response = rlhf::SpecialTokens::keep}};
}

/// The grade itself as the score.
rlhf::AbstentionReward exact_reward(const World& world, const std::vector<Place>& places,
                                    const rlhf::AbstentionScores& scores) {
  const auto grade = [&world](std::string_view, std::string_view response,
                              const nlohmann::json& row) {
    return world.grade(place_of(row), world.tokenizer().encode(response));
  };
  return {world.tokenizer(),
          grade,
          rows_of(places),
          scores,
          {.in_response = rlhf::SpecialTokens::keep}};
}

/// The first of each kind, or as many as there are.
std::vector<Place> questions_of(const Sorted& places, const RewardSettings& settings) {
  std::vector<Place> chosen;
  const auto take = [&](const std::vector<Place>& of, int64_t count) {
    chosen.insert(chosen.end(), of.begin(), of.begin() + std::min(count, std::ssize(of)));
  };
  take(places.known, settings.known);
  take(places.unknown, settings.unknown);
  take(places.invented, settings.invented);
  return chosen;
}

}  // namespace

Pretrained load(const std::filesystem::path& gguf, rlhf::Precision precision,
                int64_t frozen_layers) {
  const rlhf::io::GgufFile file(gguf);
  Pretrained pretrained{
      .model = rlhf::model::load_gguf(file),
      .tokenizer = rlhf::gguf_tokenizer(rlhf::io::read_gguf_tokenizer(file.metadata()))};
  pretrained.model.compute_in(precision);
  pretrained.model.decode_in(precision);
  pretrained.model.freeze_lowest(frozen_layers);
  return pretrained;
}

rlhf::CausalLM fine_tune(rlhf::CausalLM pretrained, const World& world, const Places& places,
                         const Settings& settings, const std::filesystem::path& folder,
                         StageLog& log) {
  const honesty::Timed timed(log.seconds);
  rlhf::Generator generator = generator_of(settings, 1);
  rlhf::CausalLM model = [&] {
    const rlhf::CausalLM base = std::move(pretrained);
    return base.with_adapters(settings.lora, generator);
  }();  // nobody else has the base any more
  rlhf::Loader loader{demonstrations(world, places.all(), settings.sft.abstention_rate, generator),
                      {.batch_size = settings.sft.batch, .seed = generator.bits()}};
  const int64_t steps = settings.sft.epochs * loader.batches_left();
  rlhf::SftTrainer trainer{
      model,
      {.optimizer = {.learning_rate = settings.sft.learning_rate, .beta2 = 0.99},
       .schedule = {.shape = rlhf::Schedule::Shape::cosine,
                    .warmup_steps = 5,
                    .total_steps = steps,
                    .final_fraction = 0.1},
       .micro_batch_tokens = settings.micro_batch_tokens}};
  run_to_end(trainer, loader, steps, {"loss"}, folder);

  model.merge();
  return model.view();
}

GradedRankings rank_samples(const rlhf::CausalLM& model, const World& world,
                            const std::vector<Place>& places, const RewardSettings& settings,
                            rlhf::Generator& generator) {
  const auto samples = responses(model, world.questions(places),
                                 {.temperature = settings.temperature,
                                  .max_response_tokens = longest_answer,
                                  .end_tokens = world.tokenizer().end_tokens(),
                                  .samples_per_prompt = settings.samples},
                                 generator);
  const std::vector<std::string>& countries = world.countries();
  const auto any_country = [&] {
    return countries[static_cast<size_t>(generator.below(std::ssize(countries)))];
  };
  GradedRankings graded;
  std::vector<Place> asked;
  std::vector<std::vector<int64_t>> answers;
  std::vector<int64_t> sizes, ranks;
  for (size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const std::string country = place.is_invented() ? any_country() : place.country;
    std::set<std::vector<int64_t>> distinct{
        world.abstention(), world.answer(country),
        world.answer(country + ". It is in " + any_country())};  // the last one is malformed
    for (int64_t s = 0; s < settings.samples; ++s) {
      distinct.insert(samples[i * static_cast<size_t>(settings.samples) + static_cast<size_t>(s)]);
    }
    std::vector<std::pair<rlhf::Grade, std::vector<int64_t>>> group;
    for (const auto& answer : distinct) group.emplace_back(world.grade(place, answer), answer);
    std::ranges::stable_sort(group, {}, [](const auto& g) { return g.first; });  // best first
    sizes.push_back(std::ssize(group));
    for (const auto& [grade, answer] : group) {
      asked.push_back(place);
      answers.push_back(answer);
      ranks.push_back(static_cast<int64_t>(grade));
      graded.labels.emplace_back(rlhf::name_of(grade));
    }
  }
  graded.rankings = {.completions = world.judged(asked, answers),
                     .group_sizes = rlhf::int64_tensor(sizes),
                     .ranks = rlhf::int64_tensor(ranks)};
  return graded;
}

rlhf::RewardModel learn_reward(const rlhf::CausalLM& sft, const World& world,
                               const Sorted& practice, const Settings& settings,
                               const std::filesystem::path& folder, StageLog& log) {
  const honesty::Timed timed(log.seconds);
  rlhf::Generator generator = generator_of(settings, 2);
  const rlhf::Rankings rankings =
      rank_samples(sft, world, questions_of(practice, settings.reward), settings.reward, generator)
          .rankings;
  const double std = 1 / std::sqrt(static_cast<double>(sft.config().dim) + 1);
  rlhf::RewardModel model(scalar_model(sft, settings, std, generator));
  rlhf::Loader loader{rankings, {.batch_size = settings.reward.batch, .seed = generator.bits()}};
  const int64_t steps = settings.reward.epochs * loader.batches_left();
  rlhf::RewardTrainer trainer{
      model,
      {.optimizer = {.learning_rate = settings.reward.learning_rate, .beta2 = 0.99},
       .schedule = {.shape = rlhf::Schedule::Shape::linear,
                    .warmup_steps = 5,
                    .total_steps = steps,
                    .final_fraction = 0.1},
       .micro_batch_tokens = settings.micro_batch_tokens}};
  run_to_end(trainer, loader, steps, {"loss", "accuracy"}, folder);
  return model;
}

rlhf::evaluation::RankingAccuracy judge_reward(const rlhf::RewardModel& reward,
                                               const rlhf::CausalLM& sft, const World& world,
                                               const std::vector<Place>& places,
                                               const Settings& settings) {
  rlhf::NoGrad no_grad;
  rlhf::Generator generator = generator_of(settings, 3);
  const GradedRankings held_out = rank_samples(sft, world, places, settings.reward, generator);
  return rlhf::evaluation::pair_accuracy(reward.score(held_out.rankings.completions),
                                         held_out.rankings, held_out.labels);
}

rlhf::CausalLM reinforce(const rlhf::CausalLM& sft, const rlhf::RewardModel* reward_model,
                         const World& world, const Sorted& practice, const Places& validation,
                         const Settings& settings, const std::filesystem::path& folder,
                         StageLog& log) {
  const honesty::Timed timed(log.seconds);
  rlhf::Generator generator = generator_of(settings, 4);
  const ReinforcementSettings& s = settings.reinforcement;
  const std::vector<Place> places = practice.all();
  const rlhf::Completions questions = world.questions(places);

  // The four models: views of one, of which each has its own adapters, and the reference none.
  rlhf::CausalLM policy = sft.with_adapters(settings.lora, generator);
  rlhf::Frozen reference{sft.view()};
  rlhf::ValueModel critic(scalar_model(sft, settings, 0.0, generator));
  rlhf::PpoOptions options = s.ppo;
  options.sampling.max_response_tokens = longest_answer;
  options.sampling.end_tokens = world.tokenizer().end_tokens();
  options.micro_batch_tokens = settings.micro_batch_tokens;
  options.policy_schedule.total_steps =
      (s.steps - options.critic_warmup_steps) * options.epochs * options.minibatches;
  rlhf::AnyReward reward = exact_reward(world, places, s.exact_scores);
  if (reward_model != nullptr) {
    // Mean 0 and deviation 1 on the SFT model's own answers.
    const rlhf::Tensor sample = generator.permutation(questions.size()).narrow(0, 0, 192);
    reward = rlhf::reward::normalise(
        judge_of(*reward_model, world, places),
        rlhf::rollout::sample(policy, select(questions, sample), options.sampling, generator));
  }

  int64_t begin = 0;
  const auto loader_of = [&](const std::vector<Place>& kind, int64_t batch) {
    const rlhf::Tensor rows = torch::arange(begin, begin + std::ssize(kind));
    begin += std::ssize(kind);
    return rlhf::Loader<rlhf::Completions>{
        select(questions, rows),
        {.batch_size = batch, .seed = generator.bits(), .last_batch = rlhf::LastBatch::drop}};
  };
  // Half of a batch is what the model knows, so that abstaining is no better than answering at
  // first: else all of it goes silent before it tells the one from the other.
  rlhf::Loader known = loader_of(practice.known, s.known);
  rlhf::Loader unknown = loader_of(practice.unknown, s.unknown);
  rlhf::Loader invented = loader_of(practice.invented, s.invented);
  const auto next = [&] {
    const std::vector<rlhf::Completions> kinds{known.next(), unknown.next(), invented.next()};
    return rlhf::concatenate(kinds);
  };

  rlhf::PpoTrainer trainer{policy, critic, reward, reference, generator, options};
  rlhf::MetricHistory history;
  rlhf::Sinks sinks = sinks_for(folder, s.steps, {"score_mean", "kl_k3", "evaluation"});
  sinks.add(std::ref(history));
  rlhf::BestWeights best{policy.named_parameters()};
  rlhf::Run run{folder / "run",
                {{"trainer", trainer},
                 {"known", known},
                 {"unknown", unknown},
                 {"invented", invented},
                 {"sinks", sinks}},
                {.save_every = 5}};
  const auto truth = [&] {
    return examine(policy, world, validation.all()).malformed_as_wrong().truthfulness();
  };
  train(trainer, next,
        {.steps = s.steps,
         .evaluate_every = s.evaluate_every,
         .first_evaluation = options.critic_warmup_steps + 1},
        sinks, truth, &best, &run);
  if (history.contains("kl_k3")) log.last_kl = history["kl_k3"].values.back();
  return policy;
}

}  // namespace honesty_smollm2
