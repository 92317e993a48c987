// What adapters, frozen layers and checkpoints of layers cost and save on a real model: one form a
// run, as the peak of memory is a process's. Prints a line of JSON.
//
//   bench_adapters --model "$(bash cmake/smollm2.sh)" --form lora --threads 2
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "memory.hpp"
#include "rlhf/io/gguf.hpp"
#include "rlhf/model/frozen.hpp"
#include "rlhf/model/gguf.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/sft.hpp"

namespace {

constexpr int64_t rows = 64, prompt_tokens = 32, response_tokens = 32, frozen_layers = 20;

struct Form {
  bool adapters = false, frozen = false, checkpoints = false, ppo = false;
};
const std::map<std::string, Form> forms{
    {"full", {}},
    {"full_checkpointed", {.checkpoints = true}},
    {"lora", {.adapters = true}},
    {"lora_checkpointed", {.adapters = true, .checkpoints = true}},
    {"lora_frozen", {.adapters = true, .frozen = true}},
    {"ppo_lora", {.adapters = true, .ppo = true}},
    {"ppo_lora_checkpointed", {.adapters = true, .checkpoints = true, .ppo = true}},
    {"ppo_lora_frozen", {.adapters = true, .frozen = true, .ppo = true}}};

rlhf::Completions batch_of(int64_t vocab, int64_t responses, rlhf::Generator& generator) {
  const auto tokens = [&](int64_t count) {
    std::vector<int64_t> drawn(static_cast<size_t>(count));
    for (int64_t& token : drawn) token = generator.below(vocab);
    return drawn;
  };
  std::vector<std::vector<int64_t>> prompts, answers;
  for (int64_t row = 0; row < rows; ++row) {
    prompts.push_back(tokens(prompt_tokens));
    if (responses > 0) answers.push_back(tokens(responses));
  }
  return rlhf::completions_from(prompts, answers);
}

/// Median tokens a second of some steps.
template <class Step>
double speed(Step&& step, int64_t tokens, int64_t steps) {
  step();  // makes moments and buffers
  std::vector<double> speeds;
  for (int64_t i = 0; i < steps; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    step();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    speeds.push_back(static_cast<double>(tokens) / seconds.count());
  }
  std::ranges::nth_element(speeds, speeds.begin() + std::ssize(speeds) / 2);
  return speeds[speeds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) try {
  std::string path, name = "lora";
  int threads = 2;
  int64_t steps = 3, pass = 1024;
  bool bfloat16 = false;
  CLI::App app{"Adapters on SmolLM2: speed and memory"};
  app.add_option("--model", path, "GGUF file")->envname("RLHF_SMOLLM2")->required();
  app.add_option("--form", name, "")->check(CLI::IsMember(forms))->capture_default_str();
  app.add_option("--threads", threads, "")->capture_default_str();
  app.add_option("--steps", steps, "measured")->capture_default_str();
  app.add_option("--micro-batch-tokens", pass, "")->capture_default_str();
  app.add_flag("--bfloat16", bfloat16, "products of bfloat16");
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(threads);
  const Form form = forms.at(name);
  const double held = bench::peak_mb();

  rlhf::CausalLM base = rlhf::model::load_gguf(rlhf::io::GgufFile(path));
  if (bfloat16) {
    base.compute_in(rlhf::Precision::bfloat16);
    base.decode_in(rlhf::Precision::bfloat16);
  }
  if (form.frozen) base.freeze_lowest(frozen_layers);
  base.checkpoint_layers(form.checkpoints);
  rlhf::Generator generator(1);
  const rlhf::LoraOptions lora{
      .rank = 16, .alpha = 32, .first_layer = form.frozen ? frozen_layers : 0};
  double tokens_a_second = 0;
  if (form.ppo) {
    // Four models over one base.
    const auto scalar = [&](double std) {
      return rlhf::ScalarModel(base.trunk().with_adapters(lora, generator), std, generator);
    };
    rlhf::CausalLM policy = base.with_adapters(lora, generator);
    const rlhf::Frozen reference{base.view()};
    rlhf::RewardModel reward(scalar(0.04));
    rlhf::ValueModel critic(scalar(0));
    rlhf::PpoTrainer trainer{policy,
                             critic,
                             reward,
                             reference,
                             generator,
                             rlhf::PpoOptions{.sampling = {.max_response_tokens = response_tokens},
                                              .epochs = 2,
                                              .minibatches = 2,
                                              .micro_batch_tokens = pass}};
    const rlhf::Completions prompts = batch_of(base.vocab_size(), 0, generator);
    tokens_a_second =
        speed([&] { trainer.step(prompts); }, rows * (prompt_tokens + response_tokens), steps);
  } else {
    rlhf::CausalLM model = form.adapters ? base.with_adapters(lora, generator) : std::move(base);
    rlhf::SftTrainer trainer{model, {.micro_batch_tokens = pass}};
    const rlhf::Completions batch = batch_of(model.vocab_size(), response_tokens, generator);
    tokens_a_second = speed([&] { trainer.step(batch); }, batch.token_count(), steps);
  }
  std::cout << nlohmann::json{{"form", name},
                              {"threads", threads},
                              {"dtype", bfloat16 ? "bfloat16" : "float32"},
                              {"tokens_per_second", tokens_a_second},
                              {"peak_mb", bench::peak_mb()},
                              {"before_the_model_mb", held}}
            << std::endl;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
