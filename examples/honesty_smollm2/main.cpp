/// InstructGPT's three steps on a real pretrained model: SmolLM2-135M learns to say "I don't know".
///
///   honesty_smollm2 --model "$(bash cmake/smollm2.sh)" [--seed 1] [--threads 2] [--quick]
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "results.hpp"
#include "rlhf/core/error.hpp"
#include "stages.hpp"
#include "world.hpp"

int main(int argc, char** argv) try {
  namespace job = honesty_smollm2;
  uint64_t seed = 1;
  int threads = 2;
  std::filesystem::path path, out = "out/honesty_smollm2";
  bool quick = false;
  rlhf::Precision precision = rlhf::is_fast(rlhf::Precision::bfloat16) ? rlhf::Precision::bfloat16
                                                                       : rlhf::Precision::float32;
  CLI::App app{"SmolLM2 learns to say \"I don't know\" where it would have invented"};
  app.add_option("--model", path, "SmolLM2-135M-Instruct as GGUF; cmake/smollm2.sh brings it")
      ->envname("RLHF_SMOLLM2")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--seed", seed, "of places, adapters, data order and samples")
      ->capture_default_str();
  app.add_option("--threads", threads, "of tensor operations")->capture_default_str();
  app.add_option("--out", out, "folder of the run; what is there already is taken up")
      ->capture_default_str();
  app.add_option("--precision", precision, "of products; by default what this processor does fast")
      ->transform(CLI::CheckedTransformer(std::map<std::string, rlhf::Precision>{
          {"float32", rlhf::Precision::float32}, {"bfloat16", rlhf::Precision::bfloat16}}));
  app.add_flag("--quick", quick, "smaller and shorter; fails unless PPO points the right way");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);

  job::Settings settings = quick ? job::Settings::quick() : job::Settings{};
  settings.seed = seed;
  job::Pretrained pretrained = job::load(path, precision, settings.frozen_layers);
  const std::filesystem::path table = RLHF_EXAMPLE_DIR "/../honesty/data/facts.tsv";
  const job::World world(pretrained.tokenizer, honesty::countries_of(honesty::read_facts(table)));
  for (const std::string& warning :
       rlhf::phrase_warnings(pretrained.tokenizer, std::vector<std::string>{"I don't know."})) {
    std::cerr << "warning: " << warning << "\n";
  }
  const job::Splits splits = job::deal(table, settings.splits, seed);
  const job::Sorted test(splits.test, pretrained.model, world);
  const job::Sorted practice(splits.practice, pretrained.model, world);

  job::Results results;
  results.seed = seed;
  results.sureness["pretrained"] =
      job::sureness(job::probed(pretrained.model, world, test.all(), job::Wording::own), test);
  auto& logs = results.logs;
  const auto sft = job::fine_tune(std::move(pretrained.model), world, splits.demonstrations,
                                  settings, out / "sft", logs["1 SFT"]);
  const auto reward =
      job::learn_reward(sft, world, practice, settings, out / "reward", logs["2 reward model"]);
  const auto ppo = job::reinforce(sft, &reward, world, practice, splits.validation, settings,
                                  out / "ppo", logs["3 PPO"]);
  const auto exact = job::reinforce(sft, nullptr, world, practice, splits.validation, settings,
                                    out / "ppo_exact", logs["4 PPO, exact reward"]);

  const auto probed = [&](const rlhf::CausalLM& model, const std::vector<job::Place>& places) {
    return job::probed(model, world, places, job::Wording::taught);
  };
  const auto sure = probed(sft, test.all());
  results.sureness["sft"] = job::sureness(sure, test);
  results.sureness["ppo"] = job::sureness(probed(ppo, test.all()), test);
  results.sureness["ppo_exact"] = job::sureness(probed(exact, test.all()), test);
  results.threshold = job::above_threshold(sure, probed(sft, splits.validation.all()));
  results.sft = job::examine(sft, world, test);
  results.ppo = job::examine(ppo, world, test);
  results.exact = job::examine(exact, world, test);
  results.reward_model = job::judge_reward(reward, sft, world, splits.validation.all(), settings);
  results.exchanges = job::exchanges(sft, ppo, world, test);
  job::print_summary(results);
  job::write_json(results, out / "results.json");
  if (quick && !job::points_the_right_way(results)) {
    std::cerr << "PPO did not make the model more truthful\n";
    return 1;
  }
} catch (const rlhf::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
