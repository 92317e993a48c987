#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "support/error_of.hpp"
#include "support/small_bpe.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using nlohmann::json;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const AddedToken bos{.content = "<bos>", .kind = TokenKind::special};
const AddedToken eos{.content = "<eos>", .kind = TokenKind::end};
const AddedToken e_acute{.content = " é", .whole_word = true};

/// A folder with a small tokenizer, and what stands in its files.
class TokenizerFolder : public testing::Test {
 protected:
  TokenizerFolder() {
    ByteLevelBpe(test::small_bpe({{"a", "b"}, {" ", "ab"}}, {bos, eos, e_acute}))
        .save(folder_.path());
    tokenizer_ = read("tokenizer.json");
    config_ = read("tokenizer_config.json");
  }

  json read(const std::string& name) { return json::parse(io::read_file(folder_ / name)); }
  ByteLevelBpe load() {
    folder_.put("tokenizer.json", tokenizer_.dump());
    folder_.put("tokenizer_config.json", config_.dump());
    return ByteLevelBpe::load(folder_.path());
  }
  void expect_error(const std::string& message, const std::string& file = "tokenizer.json") {
    EXPECT_THAT(error_of([&] { load(); }),
                AllOf(HasSubstr((folder_ / file).string()), HasSubstr(message)));
  }
  std::vector<std::string> split(std::string_view text) {
    const ByteLevelBpe tokenizer = load();
    return test::tokens_of(tokenizer.vocabulary(), tokenizer.encode(text));
  }

  test::TemporaryFolder folder_;
  json tokenizer_, config_;
};

TEST_F(TokenizerFolder, GivesBackWhatWasSaved) {
  const ByteLevelBpe tokenizer = load();
  EXPECT_EQ(tokenizer.vocabulary().size(), 261);
  EXPECT_THAT(split("<bos>ab ab é\xff"), ElementsAre("<bos>", "ab", " ab", " é", "\xff"));
  EXPECT_THAT(tokenizer.end_tokens(), ElementsAre(259));
  EXPECT_EQ(tokenizer.vocabulary().kind_of(258), TokenKind::special);
  EXPECT_TRUE(tokenizer.vocabulary().added_tokens()[2].whole_word);
  EXPECT_EQ(tokenizer.rules().splits, gpt2_splits());
  EXPECT_EQ(tokenizer.rules().named.eos, "<eos>");
}

TEST_F(TokenizerFolder, IsTheSameWhenSavedAgain) {
  load().save(folder_ / "once");
  ByteLevelBpe::load(folder_ / "once").save(folder_ / "twice");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
    EXPECT_EQ(io::read_file(folder_ / "twice" / name), io::read_file(folder_ / "once" / name));
  }
}

TEST_F(TokenizerFolder, EveryRuleSurvivesSaving) {
  BpeParts parts =
      test::small_bpe({}, {{.content = "<s>", .kind = TokenKind::special},
                           {.content = "</s>", .kind = TokenKind::end},
                           {.content = "<|stop|>", .kind = TokenKind::end},
                           {.content = "<pad>", .kind = TokenKind::special},
                           {.content = "m", .single_word = true, .id = 'm'},
                           {.content = "<l>", .strip_left = true},
                           {.content = "<r>", .strip_right = true, .normalized = true}});
  parts.tokens['q'].clear();
  parts.rules = {.splits = {digits_split(SplitBehavior::contiguous),
                            {.pattern = "x+", .behavior = SplitBehavior::removed, .invert = true},
                            {.pattern = {}, .prefix_space = true}},
                 .normalization = Normalization::nfc,
                 .ignore_merges = true,
                 .missing_byte = MissingByte::unknown_fused,
                 .unknown_token = "?",
                 .marks = {.before = {256}, .after = {257, 257}},
                 .named = {.bos = "<s>", .eos = "</s>", .pad = "<pad>", .unk = {}}};
  const ByteLevelBpe saved(parts);
  saved.save(folder_ / "other");
  const ByteLevelBpe loaded = ByteLevelBpe::load(folder_ / "other");
  EXPECT_EQ(loaded.rules().splits, saved.rules().splits);
  EXPECT_EQ(loaded.rules().normalization, Normalization::nfc);
  EXPECT_TRUE(loaded.rules().ignore_merges);
  EXPECT_EQ(loaded.rules().missing_byte, MissingByte::unknown_fused);
  EXPECT_EQ(loaded.rules().unknown_token, "?");
  EXPECT_EQ(loaded.rules().marks, saved.rules().marks);
  EXPECT_EQ(loaded.rules().named, saved.rules().named);
  EXPECT_EQ(loaded.end_tokens(), (std::vector<int64_t>{257, 258}));
  const auto token = [&](const std::string& content) {
    for (const AddedToken& each : loaded.vocabulary().added_tokens()) {
      if (each.content == content) return each;
    }
    return AddedToken{};
  };
  EXPECT_TRUE(token("m").single_word);
  EXPECT_TRUE(token("<l>").strip_left && !token("<l>").normalized);
  EXPECT_TRUE(token("<r>").strip_right && token("<r>").normalized);
  EXPECT_EQ(loaded.encode("qq<l> x"), saved.encode("qq<l> x"));
}

TEST_F(TokenizerFolder, RulesThatTheFileCannotSayAreRefused) {
  BpeParts parts = test::small_bpe({});
  parts.rules.splits = {{.pattern = "x", .prefix_space = true}};
  EXPECT_THAT(error_of([&] { ByteLevelBpe(parts).save(folder_.path()); }),
              HasSubstr("SplitRule::prefix_space in a tokenizer.json: expected only in the last"));
}

TEST_F(TokenizerFolder, TokensThatTheFileSpellsAlikeAreRefused) {
  BpeParts parts = test::small_bpe({{"a", "b"}}, {{.content = "ab", .id = 300}});
  EXPECT_THAT(
      error_of([&] { ByteLevelBpe(parts).save(folder_.path()); }),
      HasSubstr("tokens in a tokenizer.json: expected spellings of their own, got \"ab\" twice"));
}

TEST_F(TokenizerFolder, NeedsNoFileButTokenizerJson) {
  load();
  std::filesystem::remove(folder_ / "tokenizer_config.json");
  EXPECT_TRUE(ByteLevelBpe::load(folder_.path()).end_tokens().empty());
  std::filesystem::remove(folder_ / "tokenizer.json");
  EXPECT_THAT(error_of([&] { ByteLevelBpe::load(folder_.path()); }), HasSubstr("No such file"));
}

TEST_F(TokenizerFolder, EndsAreEosAndThoseOfTheGenerationConfig) {
  config_ = {{"eos_token", {{"content", "<eos>"}, {"lstrip", false}}}, {"bos_token", "<bos>"}};
  EXPECT_THAT(load().end_tokens(), ElementsAre(259));
  folder_.put("generation_config.json", R"({"eos_token_id": [259, 258]})");
  EXPECT_THAT(load().end_tokens(), ElementsAre(259, 258));
  folder_.put("generation_config.json", R"({"eos_token_id": 97})");
  EXPECT_THAT(load().end_tokens(), ElementsAre(259, 97));
  load().save(folder_ / "saved");
  EXPECT_THAT(ByteLevelBpe::load(folder_ / "saved").end_tokens(), ElementsAre(259, 97));
  EXPECT_EQ(load().decode(std::vector<int64_t>{97, 98, 259}), "b");
  folder_.put("generation_config.json", R"({"eos_token_id": [259, 261]})");
  expect_error("eos_token_id[1]: expected the id of a token of tokenizer.json, got 261",
               "generation_config.json");
}

TEST_F(TokenizerFolder, NamesMayStandInTheMapOfSpecialTokens) {
  config_ = json::object();
  folder_.put("special_tokens_map.json",
              R"({"eos_token": "<eos>", "pad_token": {"content": "<bos>"}, "unk_token": null})");
  EXPECT_THAT(load().end_tokens(), ElementsAre(259));
  EXPECT_EQ(load().rules().named.pad, "<bos>");
}

TEST_F(TokenizerFolder, NamesOfNoTokenAreRefused) {
  config_ = {{"pad_token", "[PAD]"}};
  expect_error("pad_token: expected a token of tokenizer.json, got \"[PAD]\"",
               "tokenizer_config.json");
  config_ = {{"eos_token", 3}};
  expect_error("eos_token: expected string, got 3", "tokenizer_config.json");
}

TEST_F(TokenizerFolder, ReadsMergesInBothForms) {
  EXPECT_THAT(split(" ab"), ElementsAre(" ab"));
  tokenizer_["model"]["merges"] = {"a b", "\u0120 ab"};
  EXPECT_THAT(split(" ab"), ElementsAre(" ab"));
  tokenizer_["model"]["merges"] = {"#version: 0.2", "a b"};
  EXPECT_THAT(split(" ab"), ElementsAre(" ", "ab"));
}

TEST_F(TokenizerFolder, ReadsFilesWithoutTheFieldsThatCameLater) {
  for (const char* key : {"type", "byte_fallback", "ignore_merges", "fuse_unk", "dropout"})
    tokenizer_["model"].erase(key);
  tokenizer_["model"]["unk_token"] = "";
  tokenizer_["model"]["end_of_word_suffix"] = "";
  tokenizer_.erase("post_processor");
  tokenizer_["pre_tokenizer"].erase("use_regex");
  EXPECT_THAT(split("<bos> ab"), ElementsAre("<bos>", " ab"));
}

TEST_F(TokenizerFolder, AWholePieceIsATokenWhereMergesAreIgnored) {
  tokenizer_["model"]["vocab"]["xyz"] = 261;
  EXPECT_THAT(split("xyz"), ElementsAre("x", "y", "z"));
  tokenizer_["model"]["ignore_merges"] = true;
  EXPECT_THAT(split("xyz xyz"), ElementsAre("xyz", " ", "x", "y", "z"));
}

TEST_F(TokenizerFolder, BytesWithoutATokenAreDroppedOrUnknown) {
  tokenizer_["model"]["vocab"].erase("c");
  EXPECT_THAT(split("acb cc"), ElementsAre("ab", " "));
  EXPECT_EQ(load().vocabulary().token_of('c'), "");
  tokenizer_["model"]["unk_token"] = "b";
  EXPECT_THAT(split("acc"), ElementsAre("ab", "b"));
  tokenizer_["model"]["fuse_unk"] = true;
  EXPECT_THAT(split("acc"), ElementsAre("ab"));
  tokenizer_["model"]["unk_token"] = "<unk>";
  expect_error("model.unk_token: expected a token of model.vocab, got \"<unk>\"");
}

TEST_F(TokenizerFolder, MarksStandAroundASequence) {
  tokenizer_["post_processor"] = json::parse(R"({"type": "Sequence", "processors": [
    {"type": "ByteLevel", "trim_offsets": false},
    {"type": "TemplateProcessing", "pair": [],
     "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "end", "type_id": 0}}],
     "special_tokens": {"<bos>": {"id": "<bos>", "ids": [258], "tokens": ["<bos>"]},
                        "end": {"id": "end", "ids": [259, 259], "tokens": ["<eos>", "<eos>"]}}}]})");
  const ByteLevelBpe tokenizer = load();
  EXPECT_THAT(tokenizer.encode("a"), ElementsAre('a'));
  EXPECT_THAT(tokenizer.encode_sequence("a"), ElementsAre(258, 'a', 259, 259));
  tokenizer_["post_processor"]["processors"][1]["special_tokens"].erase("end");
  expect_error("post_processor.processors[1].special_tokens: expected a member \"end\"");
}

TEST_F(TokenizerFolder, IdsWithoutATokenStandForNothing) {
  tokenizer_["model"]["vocab"]["xyz"] = 270;
  tokenizer_["added_tokens"].push_back(
      {{"id", 280}, {"content", "<far>"}, {"special", false}, {"normalized", false}});
  const ByteLevelBpe tokenizer = load();
  EXPECT_EQ(tokenizer.vocabulary().size(), 281);
  EXPECT_THAT(tokenizer.encode("<far>"), ElementsAre(280));
  EXPECT_EQ(tokenizer.decode(std::vector<int64_t>{265, 97, 275}), "a");
}

TEST_F(TokenizerFolder, OtherComponentsAreNamedWithTheirType) {
  const json good = tokenizer_;
  const auto refused = [&](const char* pointer, json value, const std::string& message) {
    tokenizer_ = good;
    tokenizer_[json::json_pointer(pointer)] = std::move(value);
    expect_error(message);
  };
  refused("/version", "2.0", "version: expected 1.0, got \"2.0\"");
  refused("/model/type", "Unigram", "model: expected BPE, got type \"Unigram\"");
  refused("/model/byte_fallback", true, "model.byte_fallback: expected false");
  refused("/model/continuing_subword_prefix", "##",
          "model.continuing_subword_prefix: expected null");
  refused("/model/end_of_word_suffix", "</w>", "model.end_of_word_suffix: expected null");
  refused("/model/dropout", 0.1, "model.dropout: expected null: encoding is not random, got 0.1");
  refused("/normalizer", {{"type", "Lowercase"}},
          "normalizer: expected NFC or a Sequence of it, got type \"Lowercase\"");
  refused("/normalizer", json::parse(R"({"type": "Sequence", "normalizers": [{"type": "NFKC"}]})"),
          "normalizer.normalizers[0]: expected NFC or a Sequence of it, got type \"NFKC\"");
  refused("/pre_tokenizer", {{"type", "Metaspace"}},
          "pre_tokenizer: expected Split, Digits, ByteLevel or a Sequence of them, got type "
          "\"Metaspace\"");
  refused("/pre_tokenizer", nullptr, "expected a member \"pre_tokenizer\", got none");
  refused("/pre_tokenizer", {{"type", "Digits"}}, "pre_tokenizer: expected ByteLevel at the end");
  refused("/decoder", nullptr, "decoder: expected ByteLevel, got none");
  refused("/decoder", {{"type", "WordPiece"}},
          "decoder: expected ByteLevel, got type \"WordPiece\"");
  refused("/post_processor", {{"type", "BertProcessing"}},
          "post_processor: expected ByteLevel, TemplateProcessing");
}

TEST_F(TokenizerFolder, WrongFieldsAreNamedWithTheirPlace) {
  const json good = tokenizer_;
  const auto refused = [&](const char* pointer, json value, const std::string& message) {
    tokenizer_ = good;
    tokenizer_[json::json_pointer(pointer)] = std::move(value);
    expect_error(message);
  };
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", "x"}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const auto sequence = [&](const char* key, json value) {
    json changed = split;
    changed[key] = std::move(value);
    return json{{"type", "Sequence"}, {"pretokenizers", {changed, good["pre_tokenizer"]}}};
  };
  refused("/pre_tokenizer", sequence("behavior", "Cut"),
          "pre_tokenizer.pretokenizers[0].behavior: expected Isolated, Removed");
  refused("/pre_tokenizer", sequence("pattern", "x"),
          "pre_tokenizer.pretokenizers[0].pattern: expected object, got \"x\"");
  refused("/pre_tokenizer", sequence("pattern", {{"String", ""}}),
          "pattern: expected a pattern that is not empty");
  refused("/pre_tokenizer", sequence("invert", 1),
          "pre_tokenizer.pretokenizers[0].invert: expected boolean, got 1");
  refused("/pre_tokenizer", sequence("pattern", {{"Regex", "a(b"}}),
          "pattern \"a(b\": missing closing parenthesis");
  refused("/model/vocab/a", -1, "model.vocab.a: expected a whole number >= 0");
  refused("/model/vocab/a", 1'000'000, "model.vocab.a: expected < 65");
  refused("/model/vocab/a", 98, "expected an id of its own, got 98");
  refused("/model/merges/1", "ab", "model.merges[1]: expected two tokens");
  refused("/model/merges/1", {"a", "z"}, "merge 1: expected tokens of the vocabulary, got \"az\"");
  refused("/model/merges/1", {"a", "b"}, "merge 1: expected a merge that stands once");
  refused("/added_tokens/0/id", 259,
          "added_tokens[0].id: expected 258, the id of \"<bos>\" in model.vocab, got 259");
  const auto new_token = [](int64_t id) { return json{{"id", id}, {"content", "<new>"}}; };
  refused("/added_tokens/2", new_token(97),
          "id of the added token \"<new>\": expected one of its own, got 97");
  refused("/added_tokens/2", new_token(int64_t{1} << 33),
          "added_tokens[2].id: expected a whole number");
  refused("/added_tokens/2", new_token(2'000'000'000),
          "id of the added token \"<new>\": expected >= 0 and <");
  refused("/added_tokens/2/content", "", "AddedToken::content: expected at least one character");
}

TEST_F(TokenizerFolder, AFolderThatCannotBeMadeIsNamed) {
  folder_.put("file", "");
  EXPECT_THAT(error_of([&] { load().save(folder_ / "file" / "model"); }),
              HasSubstr("cannot make the folder"));
}

}  // namespace
}  // namespace rlhf
