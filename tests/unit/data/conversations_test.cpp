// Conversations as tokens: what is prompted with, what counts, and what reaches a reward.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/data/tokenize.hpp"
#include "rlhf/reward/text_reward.hpp"
#include "support/chats.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::data {
namespace {

using nlohmann::ordered_json;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

const ByteLevelBpe& tokenizer() {
  static const ByteLevelBpe small = test::chat_tokenizer();
  return small;
}

TokenizeOptions with_chat(std::string source = test::chatml) {
  return {.chat = ChatTemplate(std::move(source))};
}

template <DataRow Row>
std::vector<Row> rows_of(const char* text) {
  return {row_from<Row>(ordered_json::parse(text), {}, "f.jsonl:1")};
}

std::string decoded(const std::vector<int64_t>& ids) {
  return tokenizer().decode(ids, SpecialTokens::keep);
}

/// The response of row 0 with brackets around what counts.
std::string counted(const Completions& completions, int64_t row = 0) {
  std::string text;
  bool open = false;
  int64_t first = 0;
  for (int64_t i = 0; i < row; ++i) first += completions.response_lengths[i].item<int64_t>();
  const auto response = completions.response(row);
  for (size_t i = 0; i < response.size(); ++i) {
    const bool counts = !completions.counted ||
                        (*completions.counted)[first + static_cast<int64_t>(i)].item<bool>();
    if (counts != open) text += counts ? "[" : "]";
    open = counts;
    text += decoded({response[i]});
  }
  return text + (open ? "]" : "");
}

TEST(Conversations, CountTheAssistantsTurnsAlone) {
  const auto rows = rows_of<Demonstration>(
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"},
                       {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "So"},
                       {"role": "user", "content": "unanswered"}]})");
  const Completions c = tokenize(tokenizer(), rows, with_chat());
  c.validate();
  EXPECT_EQ(decoded(c.prompt(0)), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(
      counted(c),
      "[Ho<|im_end|>]\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n[So<|im_end|>]");
}

TEST(Conversations, OfOneTurnCountTheWholeResponse) {
  const auto rows = rows_of<Demonstration>(
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]})");
  const Completions c = tokenize(tokenizer(), rows, with_chat());
  EXPECT_FALSE(c.counted);
  EXPECT_EQ(counted(c), "[Ho<|im_end|>]");
}

TEST(Conversations, CountNothingOfThePrompt) {
  const auto rows = rows_of<Demonstration>(
      R"({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                     {"role": "user", "content": "c"}],
          "completion": [{"role": "assistant", "content": "d"}, {"role": "user", "content": "e"},
                         {"role": "assistant", "content": "f"}]})");
  const Completions c = tokenize(tokenizer(), rows, with_chat());
  EXPECT_EQ(decoded(c.prompt(0)),
            "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\n"
            "c<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(counted(c),
            "[d<|im_end|>]\n<|im_start|>user\ne<|im_end|>\n<|im_start|>assistant\n[f<|im_end|>]");
}

TEST(Conversations, ACompletionMayBeginWithAToolsTurn) {
  const auto rows = rows_of<Demonstration>(
      R"({"prompt": [{"role": "user", "content": "a"}],
          "completion": [{"role": "tool", "content": "t"}, {"role": "assistant", "content": "b"}]})");
  const Completions c = tokenize(tokenizer(), rows, with_chat());
  EXPECT_EQ(decoded(c.prompt(0)), "<|im_start|>user\na<|im_end|>\n");
  EXPECT_EQ(counted(c), "<|im_start|>tool\nt<|im_end|>\n<|im_start|>assistant\n[b<|im_end|>]");
}

TEST(Conversations, AreReadWhereTheTemplateMarksTurns) {
  const std::string marked =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}"
      "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}"
      "<|im_end|>{% endif %}\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
      "{% endif %}";
  const auto rows = rows_of<Demonstration>(
      R"({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                     {"role": "user", "content": "c"}],
          "completion": [{"role": "assistant", "content": "d"}]})");
  const Completions c = tokenize(tokenizer(), rows, with_chat(marked));
  EXPECT_EQ(counted(c), "[d<|im_end|>]");
}

TEST(Conversations, WithoutAPromptBeginWithTheirFirstToken) {
  const auto rows =
      rows_of<Demonstration>(R"({"messages": [{"role": "assistant", "content": "ab"}]})");
  const Completions c =
      tokenize(tokenizer(), rows, with_chat("{% for m in messages %}{{ m.content }}{% endfor %}"));
  EXPECT_EQ(decoded(c.prompt(0)), "a");
  EXPECT_EQ(counted(c), "[b]");
}

TEST(Conversations, OfARankingShareTheirPrompt) {
  const auto rows = rows_of<Ranking>(
      R"({"chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}],
          "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No"}]})");
  const Rankings r = tokenize(tokenizer(), rows, with_chat());
  r.validate();
  EXPECT_EQ(r.completions.prompt(0), r.completions.prompt(1));
  EXPECT_EQ(decoded(r.completions.prompt(0)),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(counted(r.completions, 0), "[Ho<|im_end|>]");
  EXPECT_EQ(counted(r.completions, 1), "[No<|im_end|>]");
}

TEST(Conversations, OfARankingMayPartAtTheUsersTurn) {
  const auto rows = rows_of<Ranking>(
      R"({"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                     {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}],
          "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                       {"role": "user", "content": "e"}, {"role": "assistant", "content": "f"}]})");
  const Rankings r = tokenize(tokenizer(), rows, with_chat());
  EXPECT_EQ(r.completions.prompt(0), r.completions.prompt(1));
  EXPECT_EQ(counted(r.completions, 1),
            "<|im_start|>user\ne<|im_end|>\n<|im_start|>assistant\n[f<|im_end|>]");
}

TEST(Conversations, OfAPromptEndWithTheAssistantsHeader) {
  const auto rows = rows_of<Prompt>(R"({"prompt": [{"role": "user", "content": "Hi"}]})");
  const Completions c = tokenize(tokenizer(), rows, with_chat());
  EXPECT_EQ(decoded(c.prompt(0)), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_THAT(int64_vector(c.response_lengths), ElementsAre(0));
}

TEST(Conversations, TellTheTemplateOfTheRowsToolsAndVariables) {
  const std::string shows = "{{ tools | tojson }}{{ mood }}{{ day }}";
  TokenizeOptions options = with_chat(shows);
  options.chat_options.variables = {{"day", "Monday"}, {"mood", "none"}};
  const auto text = [&](const char* fields) {
    const auto rows = rows_of<Prompt>(
        (R"({"prompt": [{"role": "user", "content": "Hi"}])" + std::string(fields) + "}").c_str());
    return decoded(tokenize(tokenizer(), rows, options).prompt(0));
  };
  EXPECT_EQ(text(R"(, "tools": [{"z": 1, "a": 2}], "chat_template_kwargs": {"mood": "good"})"),
            R"([{"z": 1, "a": 2}]goodMonday)");
  EXPECT_EQ(text(R"(, "tools": "[{\"z\": 1}]")"), R"([{"z": 1}]noneMonday)");
  EXPECT_EQ(text(R"(, "tools": [], "chat_template_kwargs": null)"), "nullnoneMonday");
  EXPECT_THAT(
      error_of([&] { text(R"(, "chat_template_kwargs": 3)"); }),
      HasSubstr(R"(f.jsonl:1: field "chat_template_kwargs": expected an object, got number)"));
  EXPECT_THAT(error_of([&] { text(R"(, "tools": "[1,")"); }),
              HasSubstr("f.jsonl:1: field \"tools\":1: invalid JSON"));
}

TEST(Conversations, GetNeitherBosNorAnEndTokenBesidesTheirOwn) {
  TokenizeOptions options = with_chat();
  options.bos = 7;
  const auto rows = rows_of<Demonstration>(
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]})");
  const Completions c = tokenize(tokenizer(), rows, options);
  EXPECT_NE(c.prompt(0).front(), 7);
  EXPECT_EQ(counted(c), "[Ho<|im_end|>]");
}

TEST(Conversations, NeedATemplateThatCanWriteThemDown) {
  const auto rows = rows_of<Prompt>(R"({"prompt": [{"role": "user", "content": "Hi"}]})");
  EXPECT_THAT(error_of([&] { tokenize(tokenizer(), rows); }),
              HasSubstr("f.jsonl:1: conversation: expected a chat template, got none to write it "
                        "down"));
  EXPECT_THAT(
      error_of([&] { tokenize(tokenizer(), rows, with_chat("{{ raise_exception('not so') }}")); }),
      HasSubstr("f.jsonl:1: chat template, line 1: not so"));
}

TEST(Conversations, TooLongAreCutBehindAtLeastOneCountedToken) {
  TokenizeOptions options = with_chat();
  options.too_long = TooLong::truncate_response;
  const auto rows = rows_of<Demonstration>(
      R"({"prompt": [{"role": "user", "content": "a"}],
          "completion": [{"role": "tool", "content": "t"}, {"role": "assistant", "content": "bc"}]})");
  const Completions whole = tokenize(tokenizer(), rows, options);
  options.max_tokens = whole.token_count() - 2;
  EXPECT_EQ(counted(tokenize(tokenizer(), rows, options)),
            "<|im_start|>tool\nt<|im_end|>\n<|im_start|>assistant\n[b]");
  options.max_tokens = whole.token_count() - 3;
  EXPECT_THAT(error_of([&] { tokenize(tokenizer(), rows, options); }),
              HasSubstr("f.jsonl:1: tokens before the assistant's first turn: expected < " +
                        std::to_string(options.max_tokens) + " (max_tokens), got more"));
}

TEST(Tokenize, TextWithoutAPromptIsAllToBeLearnt) {
  const std::vector<Demonstration> rows{{.completion = "abc"}};
  const Completions c = tokenize(tokenizer(), rows);
  EXPECT_EQ(decoded(c.prompt(0)), "a") << "nothing predicts the first token";
  EXPECT_EQ(counted(c), "[bc<|im_end|>]");
  const Completions marked = tokenize(tokenizer(), rows, {.bos = 'z'});
  EXPECT_EQ(decoded(marked.prompt(0)), "z");
  EXPECT_EQ(counted(marked), "[abc<|im_end|>]");
}

TEST(Tokenize, UnpairedPreferencesKeepTheirLabels) {
  const std::vector<UnpairedPreference> rows{
      {.prompt = "a", .completion = "far too long", .label = true},
      {.prompt = "a", .completion = "b", .label = false},
      {.prompt = "c", .completion = "d", .label = true}};
  const LabelledCompletions labelled =
      tokenize(tokenizer(), rows, {.max_tokens = 4, .too_long = TooLong::drop});
  labelled.completions.validate();
  EXPECT_THAT(int64_vector(*labelled.completions.ids), ElementsAre(1, 2));
  EXPECT_THAT(int64_vector(labelled.labels.to(torch::kInt64)), ElementsAre(0, 1));
}

TEST(Tokenize, ContentsOfTwoFormsAreAnError) {
  const std::vector<Demonstration> rows{
      {.prompt = "a", .completion = Conversation{{"assistant", "b"}}}};
  EXPECT_THAT(error_of([&] { tokenize(tokenizer(), rows, with_chat()); }),
              HasSubstr("row 0: prompt and completion: expected both text or both messages, got "
                        "one of each"));
}

TEST(Tokenize, AFilesFurtherFieldsReachATextReward) {
  const test::WrittenFile file(
      "{\"prompt\": [{\"role\": \"user\", \"content\": \"far too long to be kept\"}], \"gold\": "
      "\"x\"}\n"
      "{\"prompt\": [{\"role\": \"user\", \"content\": \"1 + 1?\"}], \"gold\": \"2\", \"by\": "
      "3}\n");
  const auto rows = read_all<Prompt>(file.path());
  TokenizeOptions options = with_chat("{% for m in messages %}{{ m.content }}{% endfor %}");
  options.max_tokens = 10;
  options.too_long = TooLong::drop;
  const Completions prompts = tokenize(tokenizer(), rows, options);
  std::vector<std::string> seen;
  TextReward reward{
      tokenizer(),
      [&](std::string_view prompt, std::string_view response, const nlohmann::json& row) {
        seen.push_back(std::string(prompt) + "|" + row.dump());
        return response == row.at("gold") ? 1.0F : 0.0F;
      },
      extras_of(rows)};
  const Rollout rollout{.completions = with_responses(prompts, {tokenizer().encode("2")}),
                        .log_probs = {},
                        .finish = {Finish::eos}};
  EXPECT_EQ(reward(rollout).item<float>(), 1.0F);
  EXPECT_THAT(seen, ElementsAre("1 + 1?|{\"by\":3,\"gold\":\"2\"}"));
}

}  // namespace
}  // namespace rlhf::data
