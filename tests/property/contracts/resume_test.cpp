// A run that is interrupted and started again ends as one that was not, bit for bit: for random
// models, options, data, numbers of steps and places of interruption.
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "support/cases.hpp"
#include "support/ragged.hpp"
#include "support/random_model.hpp"
#include "support/random_options.hpp"
#include "support/small_runs.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

/// A program that is a function of its seed: both processes of a run make the same of it.
struct Program {
  uint64_t seed;
  fs::path folder;
  int64_t steps;
  RunOptions options;

  template <class Trainer, class Rows>
  void train(Trainer& trainer, Loader<Rows>& loader, std::vector<Part> more = {}) const {
    JsonlSink metrics{folder / "metrics.jsonl"};
    std::vector<Part> parts{{"trainer", trainer}, {"loader", loader}, {"metrics", metrics}};
    for (Part& part : more) parts.push_back(std::move(part));
    Run run{folder, std::move(parts), options};
    run.until(steps,
              [&](int64_t step) { metrics.log(step, trainer.step(loader.next()).metrics()); });
  }
};

LoaderOptions random_loading(Generator& generator, int64_t rows) {
  LoaderOptions options{.seed = generator.bits() >> 1};
  if (generator.below(2) == 0) {
    options.batch_size = 1 + generator.below(rows);
    options.last_batch = test::one_of(generator, {LastBatch::keep, LastBatch::drop});
  } else {
    options.token_budget = 5 + generator.below(30);
  }
  options.shuffle = test::one_of(generator, {Shuffle::each_epoch, Shuffle::never});
  return options;
}

void run_sft(const Program& program) {
  Generator generator(program.seed);
  CausalLM policy(test::random_config(generator), generator);
  const int64_t rows = 1 + generator.below(6);
  Loader loader{test::random_completions(generator, rows, policy.vocab_size(), 9, 9),
                random_loading(generator, rows)};
  SftTrainer trainer{policy, SftOptions{.optimizer = test::random_adamw(generator),
                                        .schedule = test::random_schedule(generator),
                                        .micro_batch_tokens = 10 * generator.below(3)}};
  program.train(trainer, loader);
}

void run_reward(const Program& program) {
  Generator generator(program.seed);
  RewardModel model(CausalLM(test::random_config(generator), generator), generator);
  std::vector<int64_t> sizes;
  int64_t rows = 0;
  for (int64_t group = 1 + generator.below(4); group > 0; --group) {
    sizes.push_back(2 + generator.below(3));
    rows += sizes.back();
  }
  const auto groups = static_cast<int64_t>(sizes.size());
  Rankings rankings{.completions = test::random_completions(generator, rows, 20, 6, 9),
                    .group_sizes = int64_tensor(sizes)};
  Loader loader{std::move(rankings), random_loading(generator, groups)};
  RewardTrainer trainer{model, RewardOptions{.optimizer = test::random_adamw(generator),
                                             .schedule = test::random_schedule(generator)}};
  program.train(trainer, loader);
}

void run_ppo(const Program& program) {
  Generator generator(program.seed);
  CausalLM policy(test::random_config(generator), generator);
  Frozen<CausalLM> reference{policy.clone()};
  ValueModel critic(ScalarModel(policy.trunk(), 0.3, generator));
  auto reward = test::share_of_eights;
  const int64_t rows = 2 + generator.below(5);
  Loader loader{prompts_of(test::random_completions(generator, rows, 20, 9, 1)),
                random_loading(generator, rows)};
  Loader pretraining{test::random_completions(generator, 3, 20, 5, 5),
                     {.batch_size = 2, .seed = 8}};
  PpoOptions options = test::random_ppo(generator);
  options.minibatches = 1;  // the loader's smallest batch is one row
  options.critic_warmup_steps = generator.below(3);
  options.ptx_coefficient = test::one_of(generator, {0.0, 0.5});
  std::function<Completions()> more;
  if (options.ptx_coefficient > 0) more = [&] { return pretraining.next(); };
  PpoTrainer trainer{policy, critic, reward, reference, generator, options, more};
  program.train(trainer, loader, {{"pretraining", pretraining}});
}

void run_actor_critic(const Program& program) {
  Generator generator(program.seed);
  CausalLM policy(test::random_config(generator), generator);
  Frozen<CausalLM> reference{policy.clone()};
  ActorCritic both{std::move(policy)};
  auto reward = test::share_of_eights;
  const int64_t rows = 2 + generator.below(5);
  Loader loader{prompts_of(test::random_completions(generator, rows, 20, 9, 1)),
                random_loading(generator, rows)};
  PpoOptions options = test::random_ppo(generator);
  options.minibatches = 1;
  PpoTrainer trainer{both, both, reward, reference, generator, options};
  program.train(trainer, loader);
}

class ResumedRuns : public testing::TestWithParam<void (*)(const Program&)> {};

TEST_P(ResumedRuns, EndAsUninterruptedOnes) {
  test::for_each_case(3, [](Generator& generator) {
    const test::TemporaryFolder folder;
    at::set_num_threads(1 + static_cast<int>(generator.below(2)));
    Program whole{
        .seed = generator.bits(),
        .folder = folder / "whole",
        .steps = 1 + generator.below(5),
        .options = {.save_every = generator.below(3),
                    .keep = 1 + generator.below(3),
                    .last_good = test::one_of(generator, {LastGood::on_disk, LastGood::in_memory}),
                    .say = [](std::string_view) {}}};
    GetParam()(whole);
    Program parts = whole;
    parts.folder = folder / "parts";
    for (parts.steps = 0; parts.steps < whole.steps;) {
      parts.steps += 1 + generator.below(whole.steps - parts.steps);
      parts.options.save_every = generator.below(3);
      GetParam()(parts);
    }
    EXPECT_EQ(test::end_state(parts.folder), test::end_state(whole.folder));
    at::set_num_threads(1);
  });
}

std::string name_of(const testing::TestParamInfo<void (*)(const Program&)>& info) {
  return std::vector<std::string>{"Sft", "Reward", "Ppo", "ActorCritic"}.at(info.index);
}

INSTANTIATE_TEST_SUITE_P(Of, ResumedRuns,
                         testing::Values(run_sft, run_reward, run_ppo, run_actor_critic), name_of);

}  // namespace
}  // namespace rlhf
