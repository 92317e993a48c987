// What a model takes, foretold and measured: each form runs in a process of its own, whose greatest
// resident memory the system keeps.
#include "rlhf/model/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "rlhf/model/hugging_face.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "rlhf/rollout/sample.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::model {
namespace {

using test::error_of;
using testing::HasSubstr;

constexpr const char* form_variable = "RLHF_MEMORY_FORM";

/// About eight million weights.
TransformerConfig middling() {
  return {.vocab_size = 4096,
          .dim = 256,
          .hidden_dim = 704,
          .layers = 8,
          .heads = 4,
          .kv_heads = 2,
          .context_length = 256};
}

struct Form {
  TransformerConfig config = middling();
  int64_t rows = 24, prompt = 64, response = 64;
  MemoryPlan plan = {};

  Form& learns(int64_t passes = 1) {
    plan.pass_tokens = plan.remembered_tokens = rows * (prompt + response);
    plan.pass_outputs = rows * response;
    plan.passes = passes;
    return *this;
  }
  Form& samples() {
    plan.prompt_tokens = rows * prompt;
    plan.cache_rows = rows;
    plan.cache_tokens = prompt + response;
    return *this;
  }
};

Form form_of(const std::string& name) {
  Form form;
  if (name == "full") return form.learns();
  if (name == "two passes") return form.learns(2);
  if (name.starts_with("sampling")) {
    form.rows = 96;
    if (name == "sampling, lora") form.plan.lora = LoraOptions{};
    return form.samples();
  }
  if (name == "frozen") form.plan.frozen_layers = 5;
  if (name == "checkpointing") form.plan.checkpoints = true;
  if (name == "lora" || name == "lora, frozen, checkpointing") form.plan.lora = LoraOptions{};
  if (name == "lora, frozen, checkpointing") {
    form.plan.lora->first_layer = form.plan.frozen_layers = 3;
    form.plan.checkpoints = true;
  }
  return form.learns();
}

Completions rows_of(const Form& form, bool with_responses) {
  std::vector<std::vector<int64_t>> prompts, responses;
  for (int64_t row = 0; row < form.rows; ++row) {
    prompts.emplace_back(form.prompt, 1 + row);
    responses.emplace_back(form.response, 2 + row);
  }
  return with_responses ? completions_from(prompts, responses) : completions_from(prompts);
}

void use(const Form& form) {
  Generator generator(1);
  CausalLM base(form.config, generator);
  if (form.plan.frozen_layers > 0) base.freeze_lowest(form.plan.frozen_layers);
  base.checkpoint_layers(form.plan.checkpoints);
  CausalLM model =
      form.plan.lora ? base.with_adapters(*form.plan.lora, generator) : std::move(base);
  if (form.plan.pass_tokens > 0) {
    AdamW optimizer(model.named_parameters(), {});
    const Completions rows = rows_of(form, true);
    for (int step = 0; step < 2; ++step) {
      for (int64_t pass = 0; pass < form.plan.passes; ++pass) {
        model.evaluate(rows).log_probs.sum().backward();
      }
      optimizer.step();
    }
  }
  if (form.plan.cache_rows > 0) {
    rollout::sample(model, rows_of(form, false), {.max_response_tokens = form.response}, generator);
  }
}

/// Bytes, of a line of /proc/self/status such as "VmHWM:  1234 kB".
int64_t status(const std::string& field) {
  std::ifstream stream("/proc/self/status");
  std::string name;
  for (int64_t number = 0; stream >> name; stream.ignore(1000, '\n')) {
    if (name == field + ":" && stream >> number) return number << 10;
  }
  return 0;
}

/// Not a test: what another process does for one, when it is asked for a form.
TEST(MemoryOfAForm, IsMeasured) {
  const char* name = std::getenv(form_variable);
  if (name == nullptr) GTEST_SKIP() << "for MemoryEstimate's tests";
  const Form form = form_of(name);
  Form small = form;  // so that code and tables are read before the measurement begins
  small.config.vocab_size = 64;
  small.config.dim = small.config.hidden_dim = 16;
  small.rows = 2;
  use(small);
  const int64_t before = status("VmRSS");
  use(form);
  std::printf("peak %lld\n", static_cast<long long>(status("VmHWM") - before));
}

int64_t measured(const std::string& form) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string line = std::string(form_variable) + "='" + form + "' '" + program +
                           "' --gtest_filter=MemoryOfAForm.IsMeasured";
  std::FILE* pipe = ::popen(line.c_str(), "r");
  std::array<char, 512> text{};
  long long peak = 0;
  while (std::fgets(text.data(), text.size(), pipe) != nullptr) {
    std::sscanf(text.data(), "peak %lld", &peak);
  }
  ::pclose(pipe);
  return peak;
}

class MemoryEstimateOf : public testing::TestWithParam<const char*> {};

TEST_P(MemoryEstimateOf, IsWhatTheSystemMeasures) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps what is freed";
#endif
  if (status("VmHWM") == 0) GTEST_SKIP() << "no /proc/self/status";
  const Form form = form_of(GetParam());
  const MemoryEstimate estimate = estimate_memory(form.config, form.plan);
  const auto found = static_cast<double>(measured(GetParam()));
  std::string parts;
  for (const auto& [name, bytes] : estimate.parts()) {
    parts += name + " " + std::to_string(bytes >> 20) + " MiB\n";
  }
  RecordProperty("estimate", std::to_string(estimate.peak()));
  EXPECT_NEAR(static_cast<double>(estimate.peak()) / found, 1, 0.15)
      << estimate.peak() << " for " << found << "\n"
      << parts;
}

INSTANTIATE_TEST_SUITE_P(Forms, MemoryEstimateOf,
                         testing::Values("full", "two passes", "frozen", "checkpointing", "lora",
                                         "lora, frozen, checkpointing", "sampling",
                                         "sampling, lora"),
                         [](const auto& each) { return "Form" + std::to_string(each.index); });

TEST(MemoryEstimate, CountsTheWeightsThatAModelHas) {
  TransformerConfig gpt = middling(), qwen = middling();
  gpt.norm = NormKind::layer;
  gpt.activation = Activation::gelu;
  gpt.positions = Positions::learned;
  gpt.bias = Bias::all;
  gpt.kv_heads = 4;
  qwen.query_key_norm = true;
  qwen.output_layer = OutputLayer::separate;
  for (TransformerConfig config : {middling(), gpt, qwen}) {
    config.vocab_size = 64;
    Generator generator(1);
    const CausalLM model(config, generator);
    const LoraOptions lora{.rank = 4, .targets = {"all-linear"}, .first_layer = 3};
    const CausalLM adapted = model.with_adapters(lora, generator);
    int64_t weights = 0, adapters = 0;
    for (const auto& [name, weight] : model.named_parameters()) weights += weight.nbytes();
    for (const auto& [name, weight] : adapted.named_parameters()) adapters += weight.nbytes();
    if (config.positions == Positions::rotary) {  // the angles' tables
      weights += config.context_length * config.head_size() * int64_t{sizeof(float)};
      adapters += config.context_length * config.head_size() * int64_t{sizeof(float)};
    }
    const MemoryEstimate estimate = estimate_memory(config, {.lora = lora});
    EXPECT_EQ(estimate.weights, weights);
    EXPECT_EQ(estimate.adapters, adapters - weights);
    EXPECT_EQ(estimate.shared_weights, weights);
  }
}

TEST(MemoryEstimate, PlansThatCannotBeAreRefused) {
  const auto said_of = [](const MemoryPlan& plan) {
    return test::error_of([&] { estimate_memory(middling(), plan); });
  };
  EXPECT_THAT(said_of({.pass_tokens = -1}),
              testing::HasSubstr("MemoryPlan::pass_tokens: expected 0 to 1099511627776, got -1"));
  EXPECT_THAT(said_of({.pass_tokens = 5, .pass_outputs = 6}),
              testing::HasSubstr("MemoryPlan::pass_outputs: expected <= pass_tokens = 5, got 6"));
  EXPECT_THAT(said_of({.cache_rows = int64_t{1} << 50}), testing::HasSubstr("cache_rows"));
  EXPECT_THAT(said_of({.precision = Precision::int8}),
              testing::HasSubstr("MemoryPlan::precision: expected float32 or bfloat16"));
}

TEST(MemoryEstimate, OfAFrozenModelSharesWhatIsFrozen) {
  Generator generator(1);
  CausalLM model(middling(), generator);
  model.freeze_lowest(5);
  const CausalLM copy = model.clone();
  const auto ours = model.named_parameters(), theirs = copy.named_parameters();
  int64_t shared = middling().context_length * middling().head_size() * int64_t{sizeof(float)};
  for (size_t i = 0; i < ours.size(); ++i) {
    if (ours[i].second.is_alias_of(theirs[i].second)) shared += ours[i].second.nbytes();
  }
  EXPECT_EQ(estimate_memory(middling(), {.frozen_layers = 5}).shared_weights, shared);
}

TEST(MemoryEstimate, NeedsOnlyTheConfigOfAFolder) {
  const test::TemporaryFolder folder;
  Generator generator(1);
  TransformerConfig config = middling();
  config.vocab_size = 64;
  config.head_dim = config.head_size();  // which files spell out
  save_hugging_face(folder / "model", CausalLM(config, generator));
  std::filesystem::remove(folder / "model" / "model.safetensors");
  EXPECT_EQ(load_hugging_face_config(folder / "model"), config);
  EXPECT_THAT(error_of([&] { load_hugging_face_config(folder / "none"); }),
              HasSubstr("none/config.json"));
}

TEST(MemoryEstimate, RefusesWhatNoModelCanDo) {
  const auto refused = [](const MemoryPlan& plan) {
    return error_of([&] { estimate_memory(middling(), plan); });
  };
  EXPECT_THAT(refused({.frozen_layers = 8}),
              HasSubstr("MemoryPlan::frozen_layers: expected >= 0 and < layers = 8, got 8"));
  EXPECT_THAT(refused({.lora = LoraOptions{.targets = {"nothing"}}}), HasSubstr("\"nothing\""));
  EXPECT_THAT(refused({.lora = LoraOptions{.first_layer = 1}, .frozen_layers = 2}),
              HasSubstr("LoraOptions::first_layer: expected >= frozen layers = 2"));
  EXPECT_THAT(refused({.lora = LoraOptions{.rank = 0}}), HasSubstr("LoraOptions::rank"));
}

}  // namespace
}  // namespace rlhf::model
