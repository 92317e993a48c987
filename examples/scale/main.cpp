/// A run of InstructGPT's size: its numbers of demonstrations, rankings, prompts and episodes, on a
/// tiny model and short texts; what each stage takes of time and memory, and what is learnt.
///
///   scale [--seed 1] [--threads 2] [--out out/scale] [--share 1 | --quick]
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "results.hpp"
#include "rlhf/core/error.hpp"
#include "stages.hpp"

int main(int argc, char** argv) try {
  scale::Results results;
  std::filesystem::path out = "out/scale";
  double share = 1;
  bool quick = false;
  CLI::App app{"SFT, reward model and PPO at InstructGPT's numbers of examples"};
  app.add_option("--seed", results.seed, "of texts, weights, data order and samples")
      ->capture_default_str();
  app.add_option("--threads", results.threads, "of tensor operations")->capture_default_str();
  app.add_option("--out", out, "folder for results.json")->capture_default_str();
  app.add_option("--share", share, "of InstructGPT's numbers of examples")->capture_default_str();
  app.add_flag("--quick", quick, "a 64th of them, within seconds");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(results.threads);

  const scale::Settings settings = quick ? scale::Settings::quick() : scale::Settings::at(share);
  rlhf::Generator generator(results.seed);
  const scale::World world(results.seed);
  const scale::Data data = make_data(world, settings, generator, results);
  rlhf::CausalLM policy = pretrain(world, settings, generator, results);
  const auto examine_now = [&](const char* when, int64_t episodes) {
    results.exams.push_back(examine(when, episodes, policy, world, data.held_out));
  };

  examine_now("pretrained", 0);
  fine_tune(policy, data.demonstrations, settings, generator, results);
  examine_now("SFT", 0);
  rlhf::RewardModel reward =
      learn_reward(policy, rank_samples(policy, world, data.rankings, settings, generator, results),
                   settings, generator, results);
  results.reward_model = judge(reward, policy, world, data.held_out, settings, generator);
  reinforce(policy, reward, world, data.prompts, settings, generator, results, examine_now);

  results.seconds = scale::now();
  std::filesystem::create_directories(out);
  print_table(results);
  write_json(results, out / "results.json");
  if (results.exams.back().quality() <= results.exams.front().quality()) {
    std::cerr << "the answers did not get better\n";
    return 1;
  }
} catch (const rlhf::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
