#include "stages.hpp"

#include <algorithm>

#include "rlhf/data/loader.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/report/console.hpp"
#include "rlhf/reward/shaping.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"
#include "rlhf/trainer/train.hpp"

namespace scale {
namespace {

constexpr int64_t questions_at_a_time = 128;  // when rankings are sampled

rlhf::SamplingOptions sampling_of(const World& world, double temperature = 1) {
  return {.temperature = temperature,
          .max_response_tokens = longest_answer,
          .end_tokens = {world.eos()}};
}

rlhf::ConsoleProgress progress(const std::string& label, int64_t steps,
                               std::vector<std::string> metrics) {
  return rlhf::ConsoleProgress({.label = label,
                                .total_steps = steps,
                                .metrics = std::move(metrics),
                                .line_every = std::max<int64_t>(1, steps / 8)});
}

/// Warm-up over a twentieth of the steps, then down to nothing.
rlhf::Schedule cosine(int64_t steps) {
  return {.shape = rlhf::Schedule::Shape::cosine, .warmup_steps = steps / 20, .total_steps = steps};
}

/// One epoch of raising the log-probability of these responses.
void imitate(rlhf::CausalLM& model, const rlhf::Completions& rows, int64_t batch,
             double learning_rate, const char* label, rlhf::Generator& generator, Meter& meter) {
  rlhf::Loader loader{rows, {.batch_size = batch, .seed = generator.bits()}};
  const int64_t steps = loader.batches_left();
  rlhf::SftTrainer trainer{
      model,
      {.optimizer = {.learning_rate = learning_rate, .beta2 = 0.99, .epsilon = 1e-8},
       .schedule = cosine(steps)}};
  const auto next = [&] {
    rlhf::Completions chosen = loader.next();
    meter.count(chosen.size(), chosen.token_count());
    return chosen;
  };
  train(trainer, next, {.steps = steps}, progress(label, steps, {"loss"}));
}

/// One ranking a question, of the right answer, of another question's, and of samples of the
/// policy; equal grades are ties.
rlhf::Rankings rank(const rlhf::CausalLM& policy, const World& world, const Questions& questions,
                    const Settings& settings, rlhf::Generator& generator, Meter& meter) {
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < questions.size(); ++i) {
    sizes.push_back(settings.fewest_ranked +
                    generator.below(settings.most_ranked - settings.fewest_ranked + 1));
  }
  const rlhf::Tensor group_sizes = rlhf::int64_tensor(sizes);
  // The answer to another question is nearly always wrong: so that a ranking has a pair.
  std::vector<std::vector<int64_t>> others = questions.answers;
  std::ranges::rotate(others, others.begin() + 1);
  std::vector<rlhf::Completions> answered{
      rlhf::with_responses(questions.prompts, questions.answers),
      rlhf::with_responses(questions.prompts, others)};
  for (const rlhf::Tensor& asked : torch::arange(questions.size()).split(questions_at_a_time)) {
    const rlhf::Tensor samples = group_sizes.index_select(0, asked) - 2;
    const rlhf::Completions prompts = select(questions.prompts, asked.repeat_interleave(samples));
    answered.push_back(rlhf::rollout::sample(policy, prompts,
                                             sampling_of(world, settings.ranked_temperature),
                                             generator)
                           .completions);
    meter.count(asked.size(0), answered.back().token_count());
  }
  const rlhf::Completions all = rlhf::concatenate(answered);
  const rlhf::Tensor by_question = std::get<1>(all.ids->sort(/*stable=*/true, 0, false));
  rlhf::Rankings rankings{.completions = select(all, by_question), .group_sizes = group_sizes};
  std::vector<int64_t> ranks;
  for (rlhf::Grade grade : world.grades(questions, rankings.completions)) {
    ranks.push_back(static_cast<int64_t>(grade));
  }
  rankings.ranks = rlhf::int64_tensor(ranks);
  return rankings;
}

}  // namespace

Data make_data(const World& world, const Settings& settings, rlhf::Generator& generator,
               Results& results) {
  Meter meter("making texts", "question");
  const auto make = [&](int64_t count, Wordings wordings) {
    Questions questions = world.questions(count, wordings, generator);
    meter.count(count, questions.prompts.token_count());
    return questions;
  };
  Data data{.demonstrations = make(settings.demonstrations, Wordings::practised),
            .rankings = make(settings.rankings, Wordings::practised),
            .prompts = make(settings.prompts, Wordings::practised),
            .held_out = make(settings.held_out, Wordings::held_out)};
  results.costs.push_back(meter.finish());
  return data;
}

Exam examine(const std::string& when, int64_t episodes, const rlhf::CausalLM& policy,
             const World& world, const Questions& questions) {
  rlhf::Generator generator(0);  // every exam draws the same numbers
  const rlhf::Rollout answered =
      rlhf::rollout::sample(policy, questions.prompts, sampling_of(world), generator);
  return {.when = when,
          .episodes = episodes,
          .seconds = now(),
          .mb = resident_mb(),
          .counts = rlhf::evaluation::count(world.grades(questions, answered.completions))};
}

rlhf::CausalLM pretrain(const World& world, const Settings& settings, rlhf::Generator& generator,
                        Results& results) {
  Meter meter("pretraining", "text");
  rlhf::CausalLM model(settings.model, generator);
  imitate(model, world.corpus(settings.corpus, generator), settings.corpus_batch,
          settings.corpus_learning_rate, "pretraining", generator, meter);
  results.costs.push_back(meter.finish());
  return model;
}

void fine_tune(rlhf::CausalLM& policy, const Questions& demonstrated, const Settings& settings,
               rlhf::Generator& generator, Results& results) {
  Meter meter("SFT", "demonstration");
  imitate(policy, rlhf::with_responses(demonstrated.prompts, demonstrated.answers),
          settings.sft_batch, settings.sft_learning_rate, "SFT", generator, meter);
  results.costs.push_back(meter.finish());
}

rlhf::Rankings rank_samples(const rlhf::CausalLM& policy, const World& world,
                            const Questions& questions, const Settings& settings,
                            rlhf::Generator& generator, Results& results) {
  Meter meter("sampling rankings", "ranking");
  rlhf::Rankings rankings = rank(policy, world, questions, settings, generator, meter);
  results.costs.push_back(meter.finish());
  return rankings;
}

rlhf::RewardModel learn_reward(const rlhf::CausalLM& sft, const rlhf::Rankings& rankings,
                               const Settings& settings, rlhf::Generator& generator,
                               Results& results) {
  Meter meter("reward model", "ranking");
  rlhf::RewardModel model(sft, generator);
  rlhf::Loader loader{rankings, {.batch_size = settings.reward_batch, .seed = generator.bits()}};
  const int64_t steps = loader.batches_left();
  rlhf::RewardTrainer trainer{model,
                              {.optimizer = {.learning_rate = settings.reward_learning_rate,
                                             .beta2 = 0.99,
                                             .epsilon = 1e-8},
                               .schedule = cosine(steps)}};
  const auto next = [&] {
    rlhf::Rankings batch = loader.next();
    meter.count(batch.size(), batch.completions.token_count());
    return batch;
  };
  train(trainer, next, {.steps = steps}, progress("reward model", steps, {"loss", "accuracy"}));
  results.costs.push_back(meter.finish());
  return model;
}

rlhf::evaluation::PairAccuracy judge(const rlhf::RewardModel& reward, const rlhf::CausalLM& sft,
                                     const World& world, const Questions& questions,
                                     const Settings& settings, rlhf::Generator& generator) {
  rlhf::NoGrad no_grad;
  Meter unread("", "");
  const rlhf::Rankings rankings = rank(sft, world, questions, settings, generator, unread);
  return rlhf::evaluation::pair_accuracy(reward.score(rankings.completions), rankings).all;
}

void reinforce(rlhf::CausalLM& policy, rlhf::RewardModel& reward_model, const World& world,
               const Questions& questions, const Settings& settings, rlhf::Generator& generator,
               Results& results, const std::function<void(const char*, int64_t)>& examine) {
  Meter meter("PPO", "episode");
  rlhf::Loader loader{questions.prompts,
                      {.batch_size = settings.ppo_batch,
                       .seed = generator.bits(),
                       .last_batch = rlhf::LastBatch::drop}};
  rlhf::PpoOptions options = settings.ppo;
  options.sampling = sampling_of(world);

  // The four models. Scores have mean 0 and deviation 1 on the SFT model's own answers.
  const rlhf::Frozen reference{policy.clone()};
  rlhf::ValueModel critic = reward_model.value_model();
  auto reward = rlhf::reward::normalise(
      std::ref(reward_model),
      rlhf::rollout::sample(policy, loader.next(), options.sampling, generator));
  rlhf::PpoTrainer trainer{policy, critic, reward, reference, generator, options};

  const int64_t steps = settings.episodes / settings.ppo_batch;
  rlhf::ConsoleProgress sink = progress("PPO", steps, {"score_mean", "kl_k3", "entropy"});
  for (int64_t step = 1; step <= steps; ++step) {
    const rlhf::Rollout rollout = trainer.rollout(loader.next());
    meter.count(rollout.completions.size(), rollout.completions.token_count());
    sink.log(step, trainer.learn(rollout).metrics());
    if (step % settings.examine_every == 0 || step == steps) {
      examine("PPO", step * settings.ppo_batch);
    }
  }
  results.costs.push_back(meter.finish());
}

}  // namespace scale
