#include "rlhf/text/gguf_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "support/error_of.hpp"
#include "support/small_bpe.hpp"

namespace rlhf {
namespace {

using io::GgufTokenizer;
using Kind = io::GgufTokenKind;
using testing::ElementsAre;

/// What a right file holds.
GgufTokenizer stored() {
  return {.model = "gpt2",
          .pre = "gpt-2",
          .tokens = {"<start>", "<end>", "<turn>", "<own>", "a", "b", "ab"},
          .kinds = {Kind::control, Kind::control, Kind::control, Kind::user_defined, Kind::normal,
                    Kind::normal, Kind::normal},
          .merges = {"a b"},
          .bos = 0,
          .eos = 1,
          .further_ends = {2},
          .add_bos = true,
          .chat_template = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"};
}

TEST(GgufTokenizer, SaysWhatEndsAResponseAndWhatStandsAroundAText) {
  const ByteLevelBpe tokenizer = gguf_tokenizer(stored());
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(1, 2));
  EXPECT_THAT(tokenizer.encode("ab<own>a"), ElementsAre(6, 3, 4));
  EXPECT_THAT(tokenizer.encode_sequence("ab"), ElementsAre(0, 6));
}

TEST(GgufTokenizer, NamesTheTokensThatAChatTemplateAsksFor) {
  const std::vector<Message> messages{{.role = "user", .content = "ab"}};
  EXPECT_EQ(gguf_chat_template(stored()).render(messages), "<start>ab<end>");
}

struct Spoilt {
  std::string name;
  std::function<void(GgufTokenizer&)> spoil;
  std::string message;
};
void PrintTo(const Spoilt& row, std::ostream* out) {
  *out << row.name;
}

class MalformedGgufTokenizer : public testing::TestWithParam<Spoilt> {};

TEST_P(MalformedGgufTokenizer, IsRefusedWithItsMessage) {
  GgufTokenizer tokenizer = stored();
  GetParam().spoil(tokenizer);
  EXPECT_EQ(test::message_of([&] { gguf_tokenizer(tokenizer), gguf_chat_template(tokenizer); }),
            GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, MalformedGgufTokenizer,
    testing::Values(
        Spoilt{"AnotherModel", [](auto& t) { t.model = "llama"; },
               "tokenizer.ggml.model: expected gpt2, got llama"},
        Spoilt{"NoModel", [](auto& t) { t.model = ""; },
               "tokenizer.ggml.model: expected gpt2, got "},
        Spoilt{"AnotherSplit", [](auto& t) { t.pre = "deepseek-llm"; },
               "tokenizer.ggml.pre: expected gpt-2, smollm, llama-bpe or qwen2, got deepseek-llm"},
        Spoilt{"NoSplit", [](auto& t) { t.pre = ""; },
               "tokenizer.ggml.pre: expected gpt-2, smollm, llama-bpe or qwen2, got "},
        Spoilt{"MoreKindsThanTokens", [](auto& t) { t.kinds.resize(9, Kind::control); },
               "BpeTable::added: id: expected >= 0 and < 7, got 7"},
        Spoilt{"MergeOfOneToken", [](auto& t) { t.merges.push_back("ab"); },
               "BpeTable::merges[1]: expected two tokens with a space between, got \"ab\""},
        Spoilt{"MergeOfAnUnknownToken", [](auto& t) { t.merges.push_back("a c"); },
               "merge 1: expected tokens of the vocabulary, got \"c\""},
        Spoilt{"TokenTwice", [](auto& t) { t.tokens[5] = "a"; },
               "token \"a\" of a vocabulary: expected one id, got 4 and 5"},
        Spoilt{"AddedTokenTwice", [](auto& t) { t.tokens[2] = "<end>"; },
               "token \"<end>\" of a vocabulary: expected one id, got 1 and 2"},
        Spoilt{"StartThatIsNoToken", [](auto& t) { t.bos = 7; },
               "id in SequenceMarks: expected >= 0 and < 7, got 7"},
        Spoilt{"EndThatIsNoToken",
               [](auto& t) {
                 t.eos = 7;
                 t.add_eos = true;
               },
               "id in SequenceMarks: expected >= 0 and < 7, got 7"},
        Spoilt{"NoTemplate", [](auto& t) { t.chat_template.reset(); },
               "tokenizer.chat_template: expected a template, got none"},
        Spoilt{"TemplateCutOff", [](auto& t) { t.chat_template = "{{ bos_token"; },
               "chat template, line 1: a tag without its }}"},
        Spoilt{"PaddingThatIsNoToken", [](auto& t) { t.padding = -1; },
               "tokenizer.ggml.padding_token_id: expected an id of the 7 tokens, got -1"},
        Spoilt{"UnknownThatIsNoToken", [](auto& t) { t.unknown = 7; },
               "tokenizer.ggml.unknown_token_id: expected an id of the 7 tokens, got 7"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace rlhf
