// Folder in, JSONL in, folder out: the three commands one after the other, and what they leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/reward/reward_model.hpp"
#include "rlhf/text/chat_template.hpp"
#include "support/python.hpp"
#include "world.hpp"

namespace instructgpt {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

std::vector<ordered_json> lines_of(const fs::path& file) {
  std::vector<ordered_json> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) lines.push_back(ordered_json::parse(line));
  return lines;
}

/// Every value of a metric, in the order it was logged.
std::vector<double> values_of(const fs::path& out, const std::string& metric) {
  std::vector<double> values;
  for (const auto& line : lines_of(out / "training" / "metrics.jsonl")) {
    if (line.contains(metric)) values.push_back(line[metric].get<double>());
  }
  return values;
}

/// The files that every command leaves.
void expect_complete(const fs::path& out) {
  for (const char* name :
       {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "training/options.json", "training/metrics.jsonl", "training/report.html"}) {
    EXPECT_TRUE(fs::is_regular_file(out / name)) << name;
  }
  EXPECT_FALSE(fs::exists(out / "model.new"));
  EXPECT_FALSE(fs::is_empty(out / "training" / "tensorboard"));
  EXPECT_THAT(content_of(out / "training" / "report.html"), HasSubstr("<svg"));
}

/// The three commands, run once for all tests.
class Commands : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new World();
    const World& w = *world_;
    sft_ = run("sft", {"--model", w["chat"], "--train", w["demonstrations.jsonl"], "--out",
                       w["sft"], "--eval-fraction", "0.25", "--epochs", "6", "--batch-size", "6",
                       "--learning-rate", "0.01", "--eval-every", "9", "--threads", "1"});
    reward_ = run("reward_model", {"--model",
                                   w["sft"],
                                   "--train",
                                   w["rankings.jsonl"],
                                   "--eval",
                                   w["rankings.jsonl"],
                                   "--centre",
                                   w["demonstrations.jsonl"],
                                   "--out",
                                   w["reward"],
                                   "--epochs",
                                   "4",
                                   "--batch-size",
                                   "8",
                                   "--learning-rate",
                                   "0.003",
                                   "--threads",
                                   "1",
                                   "--keep-best",
                                   "--eval-every",
                                   "4"});
    ppo_ = run("ppo", {"--policy",
                       w["sft"],
                       "--reward-model",
                       w["reward"],
                       "--train",
                       w["prompts.jsonl"],
                       "--out",
                       w["ppo"],
                       "--eval-fraction",
                       "0.25",
                       "--steps",
                       "3",
                       "--batch-size",
                       "12",
                       "--samples-per-prompt",
                       "2",
                       "--minibatches",
                       "2",
                       "--response-tokens",
                       "12",
                       "--missing-eos-score",
                       "-1",
                       "--reward-clip",
                       "5",
                       "--ptx-train",
                       w["demonstrations.jsonl"],
                       "--ptx-coefficient",
                       "1",
                       "--ptx-batch-size",
                       "4",
                       "--learning-rate",
                       "0.001",
                       "--precision",
                       "bfloat16",
                       "--threads",
                       "1"});
  }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
  }

  static std::string path(const std::string& name) { return (*world_)[name]; }

  static World* world_;
  static Outcome sft_, reward_, ppo_;
};

World* Commands::world_ = nullptr;
Outcome Commands::sft_, Commands::reward_, Commands::ppo_;

TEST_F(Commands, SftLearnsTheDemonstrations) {
  ASSERT_EQ(sft_.exit_code, 0) << sft_.output;
  expect_complete(path("sft"));
  const auto loss = values_of(path("sft"), "loss");
  EXPECT_EQ(loss.size(), 18U) << "18 rows, 6 in a step, 6 epochs";
  const auto held_out = values_of(path("sft"), "eval_loss");
  EXPECT_EQ(held_out.size(), 3U) << "before, at step 9, at step 18";
  EXPECT_LT(held_out.back(), held_out.front() / 2);
  const rlhf::CausalLM policy = rlhf::model::load_hugging_face(path("sft"));
  EXPECT_EQ(policy.vocab_size(), rlhf::model::load_hugging_face(path("chat")).vocab_size());
}

TEST_F(Commands, TokenizerAndChatTemplateGoAlong) {
  ASSERT_EQ(ppo_.exit_code, 0) << ppo_.output;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
    for (const char* out : {"sft", "reward", "ppo"}) {
      EXPECT_EQ(content_of(path(out) + "/" + name), content_of(path("chat") + "/" + name));
    }
  }
  const auto tokenizer = rlhf::ByteLevelBpe::load(path("ppo"));
  EXPECT_THAT(rlhf::end_texts(tokenizer), testing::ElementsAre("<|im_end|>"));
  const auto chat = rlhf::ChatTemplate::load(path("ppo"));
  EXPECT_THAT(chat.render(std::vector<rlhf::Message>{{"user", "Hi"}}), HasSubstr("user\nHi"));
}

TEST_F(Commands, TheRewardModelLearnsTheRankings) {
  ASSERT_EQ(reward_.exit_code, 0) << reward_.output;
  expect_complete(path("reward"));
  EXPECT_EQ(values_of(path("reward"), "eval_accuracy").back(), 1.0);
  EXPECT_THAT(reward_.output, HasSubstr("bias moved by"));
  const rlhf::RewardModel model(rlhf::model::load_hugging_face_scalar(path("reward")));
  const auto config = ordered_json::parse(content_of(path("reward") + "/config.json"));
  const auto tokenizer = rlhf::ByteLevelBpe::load(path("reward"));
  EXPECT_EQ(config["pad_token_id"], tokenizer.end_tokens().front())
      << "transformers scores several sequences at once only with one";
}

TEST_F(Commands, PpoTrainsThePolicyAgainstTheRewardModel) {
  ASSERT_EQ(ppo_.exit_code, 0) << ppo_.output;
  expect_complete(path("ppo"));
  EXPECT_EQ(values_of(path("ppo"), "score_mean").size(), 3U);
  EXPECT_EQ(values_of(path("ppo"), "policy_updates"), (std::vector<double>{2, 2, 2}));
  EXPECT_EQ(values_of(path("ppo"), "eval_score_mean").size(), 2U) << "before and after";
  EXPECT_NEAR(values_of(path("ppo"), "eval_kl_k3").front(), 0, 1e-9) << "it is the reference yet";
  EXPECT_GT(values_of(path("ppo"), "eval_kl_k3").back(), 0);
  EXPECT_GT(values_of(path("ppo"), "ptx_loss").front(), 0);
  for (const double score : values_of(path("ppo"), "score_mean")) EXPECT_LE(std::abs(score), 5);
  EXPECT_NE(content_of(path("ppo") + "/model.safetensors"),
            content_of(path("sft") + "/model.safetensors"));
  rlhf::model::load_hugging_face(path("ppo"));
  EXPECT_THAT(content_of(path("ppo") + "/training/report.html"), HasSubstr("Say"))
      << "samples show the prompts";
}

TEST_F(Commands, PrintEveryOptionAndTakeItBackAsAFile) {
  const std::string written = content_of(path("sft") + "/training/options.json");
  EXPECT_THAT(sft_.output, HasSubstr(written));
  const auto options = ordered_json::parse(written);
  EXPECT_EQ(options["learning-rate"], 0.01);
  EXPECT_EQ(options["beta2"], 0.95);
  EXPECT_EQ(options["too-long"], "truncate");
  EXPECT_EQ(options["keep-best"], false);
  EXPECT_EQ(options["eval"], nullptr);
  EXPECT_EQ(options["field"], ordered_json::array());

  const Outcome again =
      run("sft", {"--config", path("sft") + "/training/options.json", "--out", path("again")});
  ASSERT_EQ(again.exit_code, 0) << again.output;
  EXPECT_EQ(content_of(path("again") + "/model.safetensors"),
            content_of(path("sft") + "/model.safetensors"));
  auto same = ordered_json::parse(content_of(path("again") + "/training/options.json"));
  same["out"] = options["out"];
  EXPECT_EQ(same, options);
}

TEST_F(Commands, BaseModelsLearnPlainText) {
  const Outcome sft = run(
      "sft", {"--model", path("base"), "--train", path("texts.jsonl"), "--field", "prompt=question",
              "--out", path("sft of text"), "--epochs", "1", "--threads", "1"});
  ASSERT_EQ(sft.exit_code, 0) << sft.output;
  expect_complete(path("sft of text"));
  EXPECT_FALSE(fs::exists(path("sft of text") + "/chat_template.jinja"));
  const Outcome reward =
      run("reward_model", {"--model", path("base"), "--train", path("pairs.jsonl"), "--out",
                           path("reward of text"), "--threads", "1"});
  ASSERT_EQ(reward.exit_code, 0) << reward.output;
  const Outcome ppo =
      run("ppo",
          {"--policy", path("sft of text"), "--reward-model", path("reward of text"), "--train",
           path("texts.jsonl"), "--field", "prompt=question", "--out", path("ppo of text"),
           "--batch-size", "24", "--response-tokens", "8", "--critic", "policy", "--threads", "1"});
  ASSERT_EQ(ppo.exit_code, 0) << ppo.output;
  expect_complete(path("ppo of text"));
}

TEST_F(Commands, TextMayBeWrittenDownAsAChat) {
  const Outcome sft = run(
      "sft", {"--model", path("chat"), "--train", path("texts.jsonl"), "--field", "prompt=question",
              "--text-as-chat", "--out", path("text as chat"), "--epochs", "1", "--threads", "1"});
  ASSERT_EQ(sft.exit_code, 0) << sft.output;
  // <|im_start|> in the report's samples, made to be read in HTML.
  EXPECT_THAT(content_of(path("text as chat") + "/training/report.html"), HasSubstr("im_start"));
}

TEST_F(Commands, HelpSaysDefaultAndSourceOfEveryOption) {
  for (const char* command : {"sft", "reward_model", "ppo"}) {
    const Outcome help = run(command, {"--help"});
    EXPECT_EQ(help.exit_code, 0);
    int options = 0;
    std::istringstream text(help.output);
    for (std::string entry, line; std::getline(text, line);) {
      if (!line.starts_with("  --")) continue;
      const std::string flag = line.substr(2, line.find_first_of(" ,", 2) - 2);
      // What follows a name that is too long for its column stands on the next line.
      std::string rest;
      if (line.find('[') == line.npos) std::getline(text, rest);
      entry = line + rest;
      if (flag == "--config") continue;
      ++options;
      EXPECT_THAT(entry, testing::ContainsRegex("[a-zA-Z].* \\[[^]]+\\]")) << command;
    }
    EXPECT_GE(options, 25) << command << "\n" << help.output;
  }
}

/// Beside transformers, where Python has it.
class CommandsInPython : public Commands {
 protected:
  void SetUp() override {
    const std::string check = "'" + rlhf::test::python() + "' -c pass 2> /dev/null";
    if (std::system(check.c_str()) != 0) GTEST_SKIP() << "no Python " << rlhf::test::python();
    const std::string problem = rlhf::test::ask_python(script, {"check"});
    if (!problem.empty()) GTEST_SKIP() << rlhf::test::python() << ": " << problem;
  }
  const fs::path script = fs::path(RLHF_SCRIPTS_DIR) / "load_folders.py";
};

TEST_F(CommandsInPython, TransformersLoadsEveryFolder) {
  ASSERT_EQ(ppo_.exit_code, 0) << ppo_.output;
  const auto found = rlhf::test::ask_python(script, {path("sft"), path("reward"), path("ppo")});
  const auto tokenizer = rlhf::ByteLevelBpe::load(path("sft"));
  const auto chat = rlhf::ChatTemplate::load(path("sft"));
  const std::vector<rlhf::Message> messages{{"user", "Say 3"}, {"assistant", "It is 3"}};
  const auto ids = tokenizer.encode(chat.render(messages));
  EXPECT_EQ(found["ids"], nlohmann::json(ids));

  rlhf::NoGrad no_grad;
  for (const char* name : {"sft", "ppo"}) {
    const rlhf::CausalLM policy = rlhf::model::load_hugging_face(path(name));
    auto cache = policy.begin(rlhf::completions_from({ids}));
    const rlhf::Tensor ours = policy.step(cache, rlhf::int64_tensor({ids.back()}))[0];
    ASSERT_EQ(found[name].size(), static_cast<size_t>(ours.numel()));
    for (size_t i = 0; i < found[name].size(); ++i) {
      EXPECT_NEAR(found[name][i].get<double>(), ours[static_cast<int64_t>(i)].item<double>(), 1e-4);
    }
  }
  // Without the bias that centres the scores, which transformers passes over.
  rlhf::RewardModel reward(rlhf::model::load_hugging_face_scalar(path("reward")));
  const std::vector<int64_t> other(ids.begin(), ids.end() - 4);
  const auto score = [&](const std::vector<int64_t>& all) {
    const std::vector<int64_t> prompt(all.begin(), all.end() - 1);
    return reward.score(rlhf::completions_from({prompt}, {{all.back()}})).item<double>();
  };
  EXPECT_NEAR(found["scores"][0].get<double>() - found["scores"][1].get<double>(),
              score(ids) - score(other), 1e-4);
}

}  // namespace
}  // namespace instructgpt
