/// InstructGPT's three steps on real facts: a language model learns to say "I don't know".
///
///   honesty [--seed 1] [--threads 2] [--out out/honesty] [--quick] [--ablations]
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "ablations.hpp"
#include "results.hpp"
#include "rlhf/core/error.hpp"
#include "stages.hpp"
#include "world.hpp"

int main(int argc, char** argv) try {
  uint64_t seed = 1;
  int threads = 2;
  std::filesystem::path out = "out/honesty";
  bool quick = false, ablations = false;
  CLI::App app{"A language model learns to say \"I don't know\" where it would have invented"};
  app.add_option("--seed", seed, "of weights, data order and samples")->capture_default_str();
  app.add_option("--threads", threads, "of tensor operations")->capture_default_str();
  app.add_option("--out", out, "folder for report.html and results.json")->capture_default_str();
  app.add_flag("--quick", quick,
               "smaller and shorter, within a minute; fails unless PPO points the right way");
  app.add_flag("--ablations", ablations,
               "also train without the parts that matter, for comparison");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);

  honesty::Settings settings = quick ? honesty::Settings::quick() : honesty::Settings{};
  settings.seed = seed;
  rlhf::Generator generator(seed);
  const honesty::World world(honesty::read_facts(RLHF_EXAMPLE_DIR "/data/facts.tsv"),
                             settings.splits, seed);

  std::map<std::string, honesty::StageLog> logs;
  const auto pretrained = honesty::pretrain(world, settings, generator, logs["0 pretraining"]);
  const auto sft = honesty::fine_tune(pretrained, world, settings.sft, generator, logs["1 SFT"]);
  const auto reward =
      honesty::learn_reward(sft, world, settings.reward, generator, logs["2 reward model"]);
  const auto ppo =
      honesty::reinforce(sft, reward, world, settings.reinforcement, generator, logs["3 PPO"]);

  honesty::Results results = honesty::assess(world, pretrained, sft, reward, ppo, settings);
  results.logs = std::move(logs);
  std::filesystem::create_directories(out);
  honesty::print_summary(results);
  honesty::write_json(results, out / "results.json");
  honesty::write_report(results, out / "report.html");
  std::cout << "report: " << (out / "report.html").string() << "\n";

  if (ablations)
    honesty::run_ablations(world, pretrained, sft, reward, settings, generator,
                           out / "ablations.json");
  if (quick && !honesty::points_the_right_way(results)) {
    std::cerr << "PPO did not make the model more truthful\n";
    return 1;
  }
} catch (const rlhf::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
