// Adapters, frozen layers and checkpointing through the three commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/model/lora_files.hpp"
#include "world.hpp"

namespace instructgpt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

/// The commands one after the other, once for all tests.
class Tuning : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new World();
    const World& w = *world_;
    sft_ = tuned("sft", {"--model", w["chat"], "--train", w["demonstrations.jsonl"], "--out",
                         w["sft"], "--epochs", "8", "--batch-size", "6"});
    reward_ = tuned("reward_model", {"--model", w["sft"], "--train", w["rankings.jsonl"], "--eval",
                                     w["rankings.jsonl"], "--out", w["reward"], "--epochs", "4",
                                     "--batch-size", "8"});
    ppo_ = tuned("ppo", ppo_words("ppo", "12"));
  }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
  }

  static Words ppo_words(const std::string& out, const std::string& response_tokens,
                         const Words& more = {}) {
    const World& w = *world_;
    Words words{"--policy",
                w["sft"],
                "--train",
                w["prompts.jsonl"],
                "--out",
                w[out],
                "--steps",
                "2",
                "--batch-size",
                "12",
                "--minibatches",
                "2",
                "--response-tokens",
                response_tokens,
                "--reward-model",
                w["reward"]};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Outcome tuned(const std::string& command, Words words) {
    for (const char* word : {"--lora-rank", "2", "--lora-alpha", "8", "--lora-targets", "[qv]_proj",
                             "--lora-targets", "down_proj", "--freeze", "1", "--checkpointing",
                             "--learning-rate", "0.02", "--threads", "1"}) {
      words.emplace_back(word);
    }
    return run(command, words);
  }
  static std::string path(const std::string& name) { return (*world_)[name]; }

  static World* world_;
  static Outcome sft_, reward_, ppo_;
};

World* Tuning::world_ = nullptr;
Outcome Tuning::sft_, Tuning::reward_, Tuning::ppo_;

/// Names of the weights in which two models differ.
template <class Model>
std::vector<std::string> differences(const rlhf::CausalLM& a, const Model& b) {
  const auto first = a.named_parameters(), second = b.named_parameters();
  std::vector<std::string> names;
  for (size_t i = 0; i < first.size(); ++i) {
    if (!first[i].second.equal(second[i].second)) names.push_back(first[i].first);
  }
  return names;
}

TEST_F(Tuning, SftChangesWhatTheAdaptersStandBeside) {
  ASSERT_EQ(sft_.exit_code, 0) << sft_.output;
  const rlhf::CausalLM before = rlhf::model::load_hugging_face(path("chat"));
  const rlhf::CausalLM after = rlhf::model::load_hugging_face(path("sft"));
  EXPECT_THAT(differences(before, after), testing::ElementsAre("layers.1.qkv", "layers.1.down"));
}

TEST_F(Tuning, TheAdapterStandsBesideTheWholeModel) {
  ASSERT_EQ(sft_.exit_code, 0) << sft_.output;
  const auto config =
      nlohmann::json::parse(content_of(path("sft") + "/adapter/adapter_config.json"));
  EXPECT_EQ(config["base_model_name_or_path"], path("chat"));
  EXPECT_EQ(config["r"], 2);
  const rlhf::CausalLM base = rlhf::model::load_hugging_face(path("chat"));
  const rlhf::CausalLM merged = rlhf::model::load_lora(path("sft") + "/adapter", base).merged();
  EXPECT_THAT(differences(merged, rlhf::model::load_hugging_face(path("sft"))), testing::IsEmpty());
}

TEST_F(Tuning, TheRewardModelIsSavedWhole) {
  ASSERT_EQ(reward_.exit_code, 0) << reward_.output;
  const rlhf::ScalarModel reward = rlhf::model::load_hugging_face_scalar(path("reward"));
  const rlhf::CausalLM sft = rlhf::model::load_hugging_face(path("sft"));
  EXPECT_THAT(differences(sft, reward), testing::ElementsAre("layers.1.qkv", "layers.1.down"));
  EXPECT_FALSE(fs::exists(path("reward") + "/adapter"));
}

TEST_F(Tuning, PpoHasOneBaseForPolicyReferenceAndCritic) {
  ASSERT_EQ(ppo_.exit_code, 0) << ppo_.output;
  EXPECT_TRUE(fs::exists(path("ppo") + "/adapter/adapter_model.safetensors"));
  const rlhf::CausalLM before = rlhf::model::load_hugging_face(path("sft"));
  EXPECT_THAT(differences(before, rlhf::model::load_hugging_face(path("ppo"))),
              testing::ElementsAre("layers.1.qkv", "layers.1.down"));
  EXPECT_THAT(ppo_.output,
              AllOf(HasSubstr("policy: adapters"), HasSubstr("critic: adapters"),
                    HasSubstr("reward model: weights"), Not(HasSubstr("reference: weights"))));
  const Outcome from_policy =
      tuned("ppo", ppo_words("ppo of policy", "12", {"--critic", "policy"}));
  EXPECT_EQ(from_policy.exit_code, 0) << from_policy.output;
}

TEST_F(Tuning, FrozenLayersStayWhereWeightsLearn) {
  const Outcome outcome =
      run("ppo", ppo_words("ppo frozen", "12",
                           {"--freeze", "1", "--keep-best", "--eval-every", "1", "--eval-fraction",
                            "0.25", "--learning-rate", "0.01", "--threads", "1"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const rlhf::CausalLM before = rlhf::model::load_hugging_face(path("sft"));
  for (const std::string& name :
       differences(before, rlhf::model::load_hugging_face(path("ppo frozen")))) {
    EXPECT_THAT(name, testing::AnyOf(testing::StartsWith("layers.1."), "norm"));
  }
}

TEST_F(Tuning, PpoWarnsOfResponsesThatNeverEnd) {
  const Outcome outcome = run("ppo", ppo_words("ppo of two", "2", {"--threads", "1"}));
  EXPECT_THAT(outcome.output,
              HasSubstr("warning, step 1: no response of a rollout ended by itself"));
}

}  // namespace
}  // namespace instructgpt
