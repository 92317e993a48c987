// Whatever is said in a conversation and however a template writes it down: what counts is exactly
// what the assistant said, and nothing of the text is lost before it.
#include <gtest/gtest.h>

#include "golden/read_golden.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/data/tokenize.hpp"
#include "support/chats.hpp"

namespace rlhf::data {
namespace {

/// A family's template, and how it writes one turn of the assistant.
struct Family {
  const char* name;
  std::string end;  ///< the token that ends a turn
  std::string before, after;
  bool takes_system = true;
  std::string before_last = before;  ///< of the last turn
};

void PrintTo(const Family& family, std::ostream* out) {
  *out << family.name;
}

const std::string no_thoughts = "<think>\n\n</think>\n\n";

const std::vector<Family> families{
    {"chatml", "<|im_end|>", "", "<|im_end|>"},
    {"smollm2", "<|im_end|>", "", "<|im_end|>"},
    {"llama3", "<|eot_id|>", "", "<|eot_id|>"},
    {"llama31", "<|eot_id|>", "", "<|eot_id|>"},
    {"qwen25", "<|im_end|>", "", "<|im_end|>"},
    {"qwen3", "<|im_end|>", "", "<|im_end|>", true, no_thoughts},
    {"zephyr", "</s>", "", "</s>"},
    {"mistral", "</s>", " ", " </s>", false},
    {"gemma", "<end_of_turn>", "", "<end_of_turn>"},
    {"marked", "<|im_end|>", "", "<|im_end|>"},
};

const std::vector<std::string> phrases{
    "Hi",      "2 + 2?", "a\nb\n\nc", "caf\u00e9 \U0001F600", "\u0939\u093f\u0928",
    "{{ x }}", "'\"\\",  "user",      "assistant\n",          "I don't know"};

/// One or more phrases; no space at either end, as some templates strip it.
std::string random_content(Generator& generator) {
  std::string text = "a";
  for (int64_t count = generator.below(4); count > 0; --count) {
    text += phrases[static_cast<size_t>(generator.below(static_cast<int64_t>(phrases.size())))];
  }
  return text + ".";
}

Conversation random_conversation(Generator& generator, bool takes_system) {
  Conversation messages;
  if (takes_system && generator.below(2) == 0) {
    messages.push_back({"system", random_content(generator)});
  }
  for (int64_t turns = 1 + generator.below(4); turns > 0; --turns) {
    messages.push_back({"user", random_content(generator)});
    messages.push_back({"assistant", random_content(generator)});
  }
  return messages;
}

/// What counts of a row's response, turn by turn, as text.
std::vector<std::string> counted_turns(const ByteLevelBpe& tokenizer, const Completions& c) {
  std::vector<std::vector<int64_t>> turns;
  bool before = false;
  const auto response = c.response(0);
  for (size_t i = 0; i < response.size(); ++i) {
    const bool counts = !c.counted || (*c.counted)[static_cast<int64_t>(i)].item<bool>();
    if (counts && !before) turns.emplace_back();
    if (counts) turns.back().push_back(response[i]);
    before = counts;
  }
  std::vector<std::string> texts;
  for (const auto& turn : turns) texts.push_back(tokenizer.decode(turn, SpecialTokens::keep));
  return texts;
}

class ConversationsOf : public testing::TestWithParam<Family> {
 protected:
  ConversationsOf()
      : tokenizer_(test::chat_tokenizer(
            GetParam().end, {"<|im_start|>", "<|start_header_id|>", "<|end_header_id|>", "<s>",
                             "<|user|>", "<start_of_turn>"})),
        options_{.chat =
                     ChatTemplate(test::read_golden("chat_templates")["templates"][GetParam().name],
                                  {.bos = "<s>", .eos = "</s>", .pad = {}, .unk = {}})} {}

  /// What the assistant's turns from message `first` on are written as.
  std::vector<std::string> expected_turns(const Conversation& messages, size_t first) const {
    std::vector<std::string> turns;
    for (size_t i = first; i < messages.size(); ++i) {
      if (messages[i].role != "assistant") continue;
      const bool last = i + 1 == messages.size();
      turns.push_back((last ? GetParam().before_last : GetParam().before) + *messages[i].content +
                      GetParam().after);
    }
    return turns;
  }

  std::string spelt(const Completions& c) const {
    return tokenizer_.decode(c.prompt(0), SpecialTokens::keep) +
           tokenizer_.decode(c.response(0), SpecialTokens::keep);
  }

  ByteLevelBpe tokenizer_;
  TokenizeOptions options_;
};

TEST_P(ConversationsOf, CountExactlyWhatTheAssistantSaid) {
  Generator generator(1);
  for (int trial = 0; trial < 60; ++trial) {
    const Conversation messages = random_conversation(generator, GetParam().takes_system);
    const std::string whole = options_.chat->render(messages);

    const std::vector<Demonstration> all{{.completion = messages}};
    const Completions c = tokenize(tokenizer_, all, options_);
    c.validate();
    ASSERT_EQ(counted_turns(tokenizer_, c), expected_turns(messages, 0));
    ASSERT_TRUE(whole.starts_with(spelt(c))) << whole;
    ASSERT_EQ(whole.find(GetParam().end, spelt(c).size()), whole.npos) << "nothing said is left";

    // The same in two parts, parted before any of the assistant's turns.
    const size_t first_turn = messages[0].role == "system" ? 2 : 1;
    const auto turns = static_cast<int64_t>((messages.size() + 1 - first_turn) / 2);
    const size_t at = first_turn + 2 * static_cast<size_t>(generator.below(turns));
    const auto middle = messages.begin() + static_cast<std::ptrdiff_t>(at);
    const std::vector<Demonstration> parted{{.prompt = Conversation(messages.begin(), middle),
                                             .completion = Conversation(middle, messages.end())}};
    const Completions p = tokenize(tokenizer_, parted, options_);
    ASSERT_EQ(counted_turns(tokenizer_, p), expected_turns(messages, at));
    ASSERT_EQ(spelt(p), spelt(c));

    // A policy is prompted with what stands before its turn.
    const std::vector<Prompt> prompts{{.prompt = Conversation(messages.begin(), middle)}};
    ASSERT_EQ(tokenize(tokenizer_, prompts, options_).prompt(0), p.prompt(0));
  }
}

INSTANTIATE_TEST_SUITE_P(Templates, ConversationsOf, testing::ValuesIn(families),
                         [](const auto& family) { return std::string(family.param.name); });

}  // namespace
}  // namespace rlhf::data
