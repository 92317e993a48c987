// What is said turn by turn is what sampling gives for the whole conversation, from a folder as
// from memory; and the real model answers, where RLHF_SMOLLM2 says its file is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "speaker.hpp"
#include "support/error_of.hpp"
#include "support/small_bpe.hpp"
#include "support/temporary_folder.hpp"
#include "support/utf8.hpp"

namespace {

using rlhf::test::error_of;

constexpr const char* chatml =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

class Chat : public testing::Test {
 protected:
  Chat() {
    const rlhf::ByteLevelBpe tokenizer(rlhf::test::small_bpe(
        {{"t", "h"}, {"th", "e"}}, {{.content = "<|im_start|>", .kind = rlhf::TokenKind::special},
                                    {.content = "<|im_end|>", .kind = rlhf::TokenKind::end}}));
    rlhf::Generator generator(5);
    rlhf::CausalLM model({.vocab_size = static_cast<int64_t>(tokenizer.vocabulary().size()) + 3,
                          .dim = 16,
                          .hidden_dim = 24,
                          .layers = 2,
                          .heads = 2,
                          .context_length = 300},
                         generator);
    {
      rlhf::NoGrad no_grad;
      for (auto& [name, weight] : model.named_parameters()) weight.mul_(weight.dim() == 2 ? 12 : 1);
    }
    rlhf::model::save_hugging_face(path_, model, {{"chat_template.jinja", chatml}});
    tokenizer.save(path_);
  }
  rlhf::test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model";
};

TEST_F(Chat, TurnsAreWhatTheWholeConversationGives) {
  const Speaker speaker = Speaker::load(path_);
  const rlhf::SamplingOptions greedy{.temperature = 0, .max_response_tokens = 12};
  Conversation conversation(speaker, greedy, 0, "be brief");
  std::vector<rlhf::Message> messages{{.role = "system", .content = "be brief"}};
  for (const std::string question : {"the first", "and then the other?"}) {
    std::string said;
    conversation.answer(question, [&](std::string_view piece) { said += piece; });
    messages.push_back({.role = "user", .content = question});
    const auto prompt =
        speaker.tokenizer.encode(speaker.chat.render(messages, {.add_generation_prompt = true}));
    rlhf::SamplingOptions whole = greedy;
    whole.end_tokens = speaker.tokenizer.end_tokens();
    rlhf::Generator generator(0);
    const rlhf::Rollout rollout =
        rlhf::rollout::sample(speaker.model, rlhf::completions_from({prompt}), whole, generator);
    EXPECT_EQ(said, rlhf::test::lossy(speaker.tokenizer.decode(rollout.completions.response(0))));
    EXPECT_FALSE(said.empty());
    messages.push_back({.role = "assistant", .content = said});
  }
}

TEST_F(Chat, ForgetsWhatIsCleared) {
  const Speaker speaker = Speaker::load(path_);
  Conversation conversation(speaker, {.temperature = 0, .max_response_tokens = 8}, 0, "");
  const auto ask = [&](const std::string& question) {
    std::string said;
    conversation.answer(question, [&](std::string_view piece) { said += piece; });
    return said;
  };
  const std::string first = ask("the question");
  ask("another");
  conversation.clear();
  EXPECT_EQ(ask("the question"), first);
}

TEST_F(Chat, WhatIsNoModelIsRefusedByItsPath) {
  EXPECT_THAT(error_of([&] { Speaker::load(folder_ / "none.gguf"); }),
              testing::HasSubstr("none.gguf"));
  EXPECT_THAT(error_of([&] { Speaker::load(folder_ / "none"); }), testing::HasSubstr("none"));
  std::filesystem::remove(path_ / "chat_template.jinja");
  EXPECT_THAT(error_of([&] { Speaker::load(path_); }), testing::HasSubstr("chat_template"));
}

TEST(RealChat, RemembersWhatWasSaid) {
  const char* path = std::getenv("RLHF_SMOLLM2");
  if (path == nullptr) GTEST_SKIP() << "RLHF_SMOLLM2 names no file; cmake/smollm2.sh brings it";
  const Speaker speaker = Speaker::load(path);
  Conversation conversation(speaker, {.temperature = 0, .max_response_tokens = 24}, 0, "");
  std::string said;
  const auto say = [&](std::string_view piece) { said += piece; };
  EXPECT_TRUE(conversation.answer("What is the capital of France?", say));
  EXPECT_EQ(said, "The capital of France is Paris.");
  said.clear();
  conversation.answer("And in which country is it?", say);
  EXPECT_THAT(said, testing::HasSubstr("France"));
}

}  // namespace
