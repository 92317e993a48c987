// Bad input: a sentence that says what is wrong, exit code 1, and nothing left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.hpp"

namespace instructgpt {
namespace {

using testing::HasSubstr;

const World& world() {
  static const World all;
  return all;
}

using Words = std::vector<std::string>;

/// Words that would make a run of `sft`, then those that spoil it.
Words sft_with(const Words& more) {
  Words words{"--model", world()["chat"],  "--train",   world()["demonstrations.jsonl"],
              "--out",   world()["never"], "--threads", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void expect_refused(const std::string& command, const Words& words, const std::string& message) {
  const Outcome outcome = run(command, words);
  EXPECT_EQ(outcome.exit_code, 1) << message << "\n" << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr(message));
  EXPECT_FALSE(fs::exists(world()["never"])) << message;
}

Words sft_of(const std::string& model, const std::string& train) {
  return {"--model", model, "--train", train, "--out", world()["never"], "--threads", "1"};
}

TEST(BadInput, OfOptionsIsRefused) {
  expect_refused("sft", {}, "--model is required");
  expect_refused("sft", sft_with({"--learn-rate", "1"}), "--learn-rate");
  expect_refused("sft", sft_with({"--epochs", "many"}), "--epochs");
  expect_refused("sft", sft_with({"--epochs", "0"}), "--epochs");
  expect_refused("sft", sft_with({"--precision", "float16"}), "float16 not in");
  expect_refused("sft", sft_with({"--eval-every", "5"}),
                 "--eval-every: expected rows to evaluate on, by --eval or --eval-fraction, got "
                 "none");
  expect_refused("sft", sft_with({"--max-tokens", "65"}),
                 "--max-tokens: expected <= 64, the model's context, got 65");
  expect_refused("sft", sft_with({"--field", "promt=question"}), "--field: expected NAME=NAME");
  expect_refused("sft", sft_with({"--learning-rate", "-1"}), "AdamWOptions::learning_rate");
  expect_refused("sft", sft_with({"--eval-fraction", "0.001"}),
                 "--eval-fraction: expected a share that takes some of 24 rows");
}

TEST(BadInput, OfWhatIsToLearnIsRefused) {
  expect_refused("sft", sft_with({"--freeze", "2"}), "--freeze: expected < 2, the layers of ");
  expect_refused("sft", sft_with({"--lora-rank", "-1"}), "--lora-rank");
  expect_refused("sft", sft_with({"--lora-rank", "2", "--lora-alpha", "0"}), "--lora-alpha");
  expect_refused("sft", sft_with({"--lora-targets", "q_proj"}),
                 "--lora-targets: expected none without --lora-rank, got q_proj");
  expect_refused("sft", sft_with({"--lora-rank", "2", "--lora-targets", "query"}),
                 "--lora-targets: \"query\": expected a pattern that selects some of ");
  expect_refused("sft",
                 sft_with({"--lora-rank", "2", "--freeze", "1", "--lora-targets",
                           "model.layers.0.self_attn.q_proj"}),
                 "--lora-targets: \"model.layers.0.self_attn.q_proj\"");
}

TEST(BadInput, OfAModelThatTheMemoryCannotHoldIsRefusedWithATable) {
  const std::string huge = world()["huge"];
  fs::copy(world()["chat"], huge);
  fs::remove(huge + "/model.safetensors");  // none is read
  auto config = nlohmann::json::parse(content_of(huge + "/config.json"));
  config["num_hidden_layers"] = 200;
  config["hidden_size"] = config["intermediate_size"] = 1 << 16;
  std::ofstream(huge + "/config.json") << config;
  for (const char* part : {"memory for this run: expected <= ", "--lora-rank", "policy: weights",
                           "policy: optimizer moments", "policy: gradients, learning",
                           "sampling: KV cache", "together", "there is"}) {
    expect_refused("sft", sft_of(huge, world()["demonstrations.jsonl"]), part);
  }
  expect_refused("sft", sft_with({"--memory", "0.1"}),
                 "memory for this run (--memory): expected <= 0.10 GiB, got 0.35 GiB");
}

TEST(BadInput, OfConfigurationsIsRefused) {
  const auto with_config = [](const std::string& text) {
    return sft_with({"--config", world().put("options.json", text).string()});
  };
  expect_refused("sft", with_config("{\n\"epochs\": 1,\n}"), "--config:3: invalid JSON");
  expect_refused("sft", with_config("[]"), "--config: expected an object of options, got array");
  expect_refused("sft", with_config(R"({"epoch": 1})"),
                 "--config: \"epoch\": expected an option of this program (see --help), got none "
                 "of this name");
  expect_refused("sft", with_config(R"({"epochs": [1]})"),
                 "--config: \"epochs\": expected text, a number, true or false, got array");
  expect_refused("sft", with_config(R"({"field": "a=b"})"),
                 "--config: \"field\": expected an array, got string");
  expect_refused("sft", sft_with({"--config", world()["nothing.json"]}), "nothing.json");
}

TEST(BadInput, OfFoldersIsRefused) {
  const std::string rows = world()["demonstrations.jsonl"];
  expect_refused("sft", sft_of(world()["nothing"], rows), "nothing");
  fs::create_directory(world()["empty"]);
  expect_refused("sft", sft_of(world()["empty"], rows), "tokenizer.json");
  expect_refused("sft", sft_of(world()["narrow"], world()["pairs.jsonl"]),
                 "narrow/config.json: vocab_size: expected >= ");
  const Outcome full = run("sft", {"--model", world()["chat"], "--train", rows, "--out",
                                   world()["chat"], "--threads", "1"});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.output, HasSubstr("--out: expected a folder that is not there, or is empty"));
}

TEST(BadInput, OfRowsIsRefusedByLineAndField) {
  const auto rows = [](const std::string& text) {
    return sft_of(world()["chat"], world().put("rows.jsonl", text).string());
  };
  expect_refused("sft", sft_of(world()["chat"], world()["nothing.jsonl"]), "nothing.jsonl");
  expect_refused("sft", rows(""), "rows.jsonl: empty data");
  expect_refused("sft", rows("{\"text\": \"a\"}\n{\"text\": 3}\n"),
                 "rows.jsonl:2: field \"text\": expected a string, got number");
  expect_refused("sft", sft_of(world()["chat"], world()["pairs.jsonl"]),
                 "pairs.jsonl:1: fields of the row: expected \"text\" | \"messages\" | \"prompt\", "
                 "\"completion\", got \"chosen\", \"rejected\"");
  expect_refused("sft", sft_of(world()["base"], world()["demonstrations.jsonl"]),
                 "demonstrations.jsonl:1: conversation: expected a chat template, got none");
}

TEST(BadInput, OfPpoIsRefused) {
  const auto ppo = [](const std::string& policy, const std::string& reward,
                      const Words& more = {}) {
    Words words{"--policy",       policy,      "--train", world()["prompts.jsonl"], "--out",
                world()["never"], "--threads", "1",       "--reward-model",         reward};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::string chat = world()["chat"];
  expect_refused("ppo", ppo(chat, chat, {"--response-tokens", "8"}),
                 "expected a tensor \"score.weight\": a sequence classifier with one label");
  const std::string reward = world()["reward"];
  const Outcome made = run("reward_model", {"--model", chat, "--train", world()["rankings.jsonl"],
                                            "--out", reward, "--threads", "1"});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  expect_refused("ppo", ppo(chat, reward),
                 "empty data: all 24 rows were dropped as too long");  // for 53 of 64 to be left
  expect_refused("ppo", ppo(chat, reward, {"--response-tokens", "64"}),
                 "--response-tokens: expected < 64, the policy's context, got 64");
  expect_refused("ppo",
                 ppo(chat, reward,
                     {"--response-tokens", "8", "--batch-size", "7", "--samples-per-prompt", "2"}),
                 "--batch-size: expected a multiple of --samples-per-prompt, 2, got 7");
  expect_refused("ppo", ppo(chat, reward, {"--response-tokens", "8", "--ptx-coefficient", "1"}),
                 "PpoOptions::ptx_coefficient: expected 0 without a source, got 1");
  // A tokenizer of the same size with other tokens.
  std::string other = content_of(reward + "/tokenizer.json");
  for (size_t at = 0; (at = other.find("<|im_start|>", at)) != other.npos;) {
    other.replace(at, 12, "<|im_begin>>");
  }
  std::ofstream(reward + "/tokenizer.json") << other;
  expect_refused("ppo", ppo(chat, reward, {"--response-tokens", "8"}),
                 "reward/tokenizer.json: token ");
}

}  // namespace
}  // namespace instructgpt
