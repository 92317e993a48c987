#include "stages.hpp"

#include <algorithm>
#include <set>

#include "examination.hpp"
#include "rlhf/data/loader.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/report/console.hpp"
#include "rlhf/report/sinks.hpp"
#include "rlhf/reward/abstention.hpp"
#include "rlhf/reward/shaping.hpp"
#include "rlhf/reward/text_reward.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"
#include "rlhf/trainer/train.hpp"
#include "timed.hpp"

namespace honesty {
namespace {

rlhf::Sinks sinks_for(const char* label, int64_t steps, std::vector<std::string> metrics,
                      StageLog& log) {
  return rlhf::Sinks(rlhf::ConsoleProgress({.label = label,
                                            .total_steps = steps,
                                            .metrics = std::move(metrics),
                                            .line_every = std::max<int64_t>(1, steps / 8)}),
                     std::ref(log.metrics));
}

/// Epochs of language modelling; each epoch's rows are made anew.
template <class MakeEpoch>
void learn_language(rlhf::CausalLM& model, MakeEpoch&& make_epoch, int64_t epochs, int64_t batch,
                    const rlhf::AdamWOptions& optimizer, const char* label,
                    rlhf::Generator& generator, StageLog& log) {
  rlhf::Completions rows = make_epoch();
  const int64_t steps = epochs * ((rows.size() + batch - 1) / batch);
  rlhf::SftTrainer trainer{model,
                           {.optimizer = optimizer,
                            .schedule = {.shape = rlhf::Schedule::Shape::cosine,
                                         .warmup_steps = steps / 20,
                                         .total_steps = steps,
                                         .final_fraction = 0.05}}};
  rlhf::Sinks sinks = sinks_for(label, steps, {"loss"}, log);
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    if (epoch > 0) rows = make_epoch();
    rlhf::Loader loader{rows, {.batch_size = batch, .seed = generator.bits()}};
    for (const rlhf::Completions& examples : loader) {
      const rlhf::SftStats stats = trainer.step(examples);
      sinks.log(trainer.steps(), stats.metrics());
    }
  }
}

/// The fields of a question's data row, by which rewards look facts up.
std::vector<nlohmann::json> rows_of(const std::vector<Fact>& facts) {
  std::vector<nlohmann::json> rows;
  for (const Fact& fact : facts) rows.push_back({{"city", fact.city}, {"country", fact.country}});
  return rows;
}

Fact fact_of(const nlohmann::json& row) {
  return {.city = row.at("city").get<std::string>(),
          .country = row.at("country").get<std::string>()};
}

/// The judge may look things up: it reads "X is in Y. Where is X? A: Z" where the policy read
/// " Where is X? A:". It sees text alone.
rlhf::TextReward judge_of(const rlhf::RewardModel& model, const World& world,
                          const std::vector<Fact>& facts) {
  const auto score = [&model, &world](std::span<const rlhf::TextPair> pairs) {
    rlhf::NoGrad no_grad;
    std::vector<Fact> cards;
    std::vector<std::vector<int64_t>> answers;
    for (const rlhf::TextPair& pair : pairs) {
      cards.push_back(fact_of(*pair.row));
      answers.push_back(world.tokenizer().encode(pair.response));
    }
    const rlhf::Tensor scores = model.score(world.judged(cards, answers)).contiguous();
    return std::vector<float>(scores.const_data_ptr<float>(),
                              scores.const_data_ptr<float>() + scores.numel());
  };
  return {world.tokenizer(), score, rows_of(facts), {.in_response = rlhf::SpecialTokens::keep}};
}

/// The grade itself as the score.
rlhf::AbstentionReward exact_reward(const World& world, const std::vector<Fact>& facts,
                                    const rlhf::AbstentionScores& scores) {
  const auto grade = [&world](std::string_view, std::string_view response,
                              const nlohmann::json& row) {
    return world.grade(fact_of(row), world.tokenizer().encode(response));
  };
  return {
      world.tokenizer(), grade, rows_of(facts), scores, {.in_response = rlhf::SpecialTokens::keep}};
}

std::vector<Fact> joined(std::vector<Fact> first, const std::vector<Fact>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

rlhf::CausalLM pretrain(const World& world, const Settings& settings, rlhf::Generator& generator,
                        StageLog& log) {
  const Timed timed(log.seconds);
  rlhf::TransformerConfig config = settings.model;
  config.vocab_size = world.tokenizer().vocabulary().size();
  rlhf::CausalLM model(config, generator);
  const auto& s = settings.pretraining;
  learn_language(
      model, [&] { return world.corpus(generator); }, s.epochs, s.batch,
      {.learning_rate = s.learning_rate, .beta2 = 0.95, .epsilon = 1e-8, .weight_decay = 0.1},
      "pretraining", generator, log);
  return model;
}

rlhf::CausalLM fine_tune(const rlhf::CausalLM& pretrained, const World& world,
                         const SftSettings& settings, rlhf::Generator& generator, StageLog& log) {
  const Timed timed(log.seconds);
  rlhf::CausalLM model = pretrained.clone();
  const auto epoch = [&] {
    const rlhf::Completions demonstrations =
        world.demonstrations(settings.abstention_rate, generator);
    const rlhf::Completions mix =
        world.mix(settings.mix_per_demonstration * demonstrations.size(), generator);
    const std::vector<rlhf::Completions> both{demonstrations, mix};
    return rlhf::concatenate(both);
  };
  learn_language(model, epoch, settings.epochs, settings.batch,
                 {.learning_rate = settings.learning_rate, .beta2 = 0.99, .epsilon = 1e-8}, "SFT",
                 generator, log);
  return model;
}

GradedRankings rank_samples(const rlhf::CausalLM& model, const World& world,
                            const std::vector<Fact>& facts, const RewardSettings& settings,
                            rlhf::Generator& generator) {
  const rlhf::Rollout rollout = rlhf::rollout::sample(model, world.questions(facts),
                                                      {.temperature = settings.temperature,
                                                       .max_response_tokens = longest_answer,
                                                       .end_tokens = {world.eos()},
                                                       .samples_per_prompt = settings.samples},
                                                      generator);
  const auto samples = rlhf::responses_of(rollout.completions);
  GradedRankings graded;
  std::vector<Fact> cards;
  std::vector<std::vector<int64_t>> answers;
  std::vector<int64_t> sizes, ranks;
  for (size_t i = 0; i < facts.size(); ++i) {
    std::set<std::vector<int64_t>> distinct{world.abstention(), world.answer(facts[i].country)};
    for (int64_t s = 0; s < settings.samples; ++s) {
      distinct.insert(samples[i * static_cast<size_t>(settings.samples) + static_cast<size_t>(s)]);
    }
    std::vector<std::pair<rlhf::Grade, std::vector<int64_t>>> group;
    for (const auto& answer : distinct) group.emplace_back(world.grade(facts[i], answer), answer);
    std::ranges::stable_sort(group, {}, [](const auto& g) { return g.first; });  // best first
    sizes.push_back(std::ssize(group));
    for (const auto& [grade, answer] : group) {
      cards.push_back(facts[i]);
      answers.push_back(answer);
      ranks.push_back(static_cast<int64_t>(grade));
      graded.labels.emplace_back(rlhf::name_of(grade));
    }
  }
  graded.rankings = {.completions = world.judged(cards, answers),
                     .group_sizes = rlhf::int64_tensor(sizes),
                     .ranks = rlhf::int64_tensor(ranks)};
  return graded;
}

rlhf::RewardModel learn_reward(const rlhf::CausalLM& sft, const World& world,
                               const RewardSettings& settings, rlhf::Generator& generator,
                               StageLog& log) {
  const Timed timed(log.seconds);
  const Facts& practice = world.splits().practice;
  std::vector<Fact> facts(practice.known.begin(), practice.known.begin() + settings.known);
  facts.insert(facts.end(), practice.unknown.begin(), practice.unknown.begin() + settings.unknown);
  facts = joined(std::move(facts), world.made_up(settings.made_up, generator));
  const rlhf::Rankings rankings = rank_samples(sft, world, facts, settings, generator).rankings;

  rlhf::RewardModel model(sft, generator);
  rlhf::Loader loader{rankings, {.batch_size = settings.batch, .seed = generator.bits()}};
  const int64_t steps = settings.epochs * loader.batches_left();
  rlhf::RewardTrainer trainer{
      model,
      {.optimizer = {.learning_rate = settings.learning_rate, .beta2 = 0.99, .epsilon = 1e-8},
       .schedule = {.shape = rlhf::Schedule::Shape::linear,
                    .warmup_steps = 10,
                    .total_steps = steps,
                    .final_fraction = 0.1}}};
  train(
      trainer, [&] { return loader.next(); }, {.steps = steps},
      sinks_for("reward model", steps, {"loss", "accuracy"}, log));
  model.centre_on(world.judged(practice.known, [&] {
    std::vector<std::vector<int64_t>> right;
    for (const Fact& fact : practice.known) right.push_back(world.answer(fact.country));
    return right;
  }()));
  return model;
}

rlhf::evaluation::RankingAccuracy judge_reward(const rlhf::RewardModel& reward,
                                               const rlhf::CausalLM& sft, const World& world,
                                               const std::vector<Fact>& facts,
                                               const RewardSettings& settings,
                                               rlhf::Generator& generator) {
  rlhf::NoGrad no_grad;
  const GradedRankings held_out = rank_samples(sft, world, facts, settings, generator);
  return rlhf::evaluation::pair_accuracy(reward.score(held_out.rankings.completions),
                                         held_out.rankings, held_out.labels);
}

rlhf::CausalLM reinforce(const rlhf::CausalLM& sft, const rlhf::RewardModel& reward_model,
                         const World& world, const ReinforcementSettings& settings,
                         rlhf::Generator& generator, StageLog& log) {
  const Timed timed(log.seconds);
  const auto& [demonstrations, practice, validation, test] = world.splits();
  std::vector<Fact> facts = joined(demonstrations.known, practice.known);
  const auto known_count = std::ssize(facts);
  facts = joined(std::move(facts), demonstrations.unknown);
  facts = joined(std::move(facts), practice.unknown);
  facts = joined(std::move(facts), world.made_up(settings.made_up, generator));
  const rlhf::Completions questions = world.questions(facts);

  // The four models.
  rlhf::CausalLM policy = sft.clone();
  rlhf::Frozen reference{sft.clone()};
  rlhf::ValueModel critic{sft, generator};
  rlhf::AnyReward reward = exact_reward(world, facts, settings.exact_scores);
  rlhf::PpoOptions options = settings.ppo;
  options.sampling.max_response_tokens = longest_answer;
  options.sampling.end_tokens = {world.eos()};
  options.policy_schedule.total_steps =
      (settings.steps - options.critic_warmup_steps) * options.epochs * options.minibatches;
  if (settings.reward == RewardSource::model) {
    // Mean 0 and deviation 1 on the SFT model's own answers.
    const rlhf::Tensor sample = generator.permutation(questions.size())
                                    .narrow(0, 0, std::min<int64_t>(512, questions.size()));
    reward = rlhf::reward::normalise(
        judge_of(reward_model, world, facts),
        rlhf::rollout::sample(policy, select(questions, sample), options.sampling, generator));
  }

  // Half of each batch asks about known cities.
  const auto rows = torch::arange(questions.size());
  const int64_t half = settings.episodes / 2;
  rlhf::Loader known{
      select(questions, rows.narrow(0, 0, known_count)),
      {.batch_size = half, .seed = generator.bits(), .last_batch = rlhf::LastBatch::drop}};
  rlhf::Loader unknown{
      select(questions, rows.narrow(0, known_count, questions.size() - known_count)),
      {.batch_size = half, .seed = generator.bits(), .last_batch = rlhf::LastBatch::drop}};
  const auto next = [&] {
    const std::vector<rlhf::Completions> halves{known.next(), unknown.next()};
    return rlhf::concatenate(halves);
  };

  rlhf::PpoTrainer trainer{policy,
                           critic,
                           reward,
                           reference,
                           generator,
                           options,
                           options.ptx_coefficient > 0 ? std::function<rlhf::Completions()>([&] {
                             return world.mix(settings.mix_rows, generator);
                           })
                                                       : nullptr};
  rlhf::BestWeights best{policy.named_parameters()};
  const auto validation_truthfulness = [&] {
    return examine(policy, world, validation).truthfulness();
  };
  train(trainer, next,
        {.steps = settings.steps,
         .evaluate_every = settings.evaluate_every,
         .first_evaluation = options.critic_warmup_steps + 1},
        sinks_for("PPO", settings.steps, {"score_mean", "kl_k3", "evaluation"}, log),
        validation_truthfulness, &best);
  return policy;
}

}  // namespace honesty
