#include <fmt/format.h>

#include "byte_alphabet.hpp"
#include "rlhf/core/error.hpp"
#include "tokenizer_json.hpp"

namespace rlhf::text {
namespace {

using nlohmann::ordered_json;

ordered_json added_tokens_json(const Vocabulary& vocabulary) {
  ordered_json tokens = ordered_json::array();
  for (size_t i = 0; i < vocabulary.added_tokens().size(); ++i) {
    const AddedToken& token = vocabulary.added_tokens()[i];
    ordered_json entry = {{"id", vocabulary.added_ids()[i]},
                          {"content", token.content},
                          {"single_word", token.single_word},
                          {"lstrip", token.strip_left},
                          {"rstrip", token.strip_right},
                          {"normalized", token.normalized},
                          {"special", token.kind != TokenKind::ordinary}};
    if (token.whole_word) entry["whole_word"] = true;
    tokens.push_back(std::move(entry));
  }
  return tokens;
}

/// Whether a token stands in model.vocab: all do but added tokens that the byte alphabet would
/// spell differently, which `tokenizers` would not find there by their content.
std::vector<bool> tokens_of_model(const Vocabulary& vocabulary) {
  std::vector<bool> of_model(static_cast<size_t>(vocabulary.size()));
  for (size_t id = 0; id < of_model.size(); ++id) {
    of_model[id] = !vocabulary.token_of(static_cast<int64_t>(id)).empty();
  }
  for (size_t i = 0; i < vocabulary.added_tokens().size(); ++i) {
    const std::string& content = vocabulary.added_tokens()[i].content;
    if (to_byte_alphabet(content) == content) continue;
    of_model[static_cast<size_t>(vocabulary.added_ids()[i])] = false;
  }
  return of_model;
}

ordered_json model_json(const ByteLevelBpe& tokenizer) {
  const BpeRules& rules = tokenizer.rules();
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  ordered_json model = {{"type", "BPE"}, {"dropout", nullptr}, {"unk_token", nullptr}};
  if (rules.missing_byte >= MissingByte::unknown) {
    model["unk_token"] = to_byte_alphabet(rules.unknown_token.value_or(""));
  }
  model["continuing_subword_prefix"] = nullptr;
  model["end_of_word_suffix"] = nullptr;
  model["fuse_unk"] = rules.missing_byte == MissingByte::unknown_fused;
  model["byte_fallback"] = false;
  model["ignore_merges"] = rules.ignore_merges;
  ordered_json::object_t vocab;  // by emplace_back: every other way looks through all keys first
  const std::vector<bool> of_model = tokens_of_model(vocabulary);
  for (size_t id = 0; id < of_model.size(); ++id) {
    if (!of_model[id]) continue;
    const auto number = static_cast<int64_t>(id);
    vocab.emplace_back(to_byte_alphabet(vocabulary.token_of(number)), number);
  }
  model["vocab"] = std::move(vocab);
  ordered_json merges = ordered_json::array();
  for (const auto& [left, right] : tokenizer.merges()) {
    merges.push_back({to_byte_alphabet(left), to_byte_alphabet(right)});
  }
  model["merges"] = std::move(merges);
  return model;
}

ordered_json post_processor_json(const ByteLevelBpe& tokenizer) {
  const auto& [before, after] = tokenizer.rules().marks;
  if (before.empty() && after.empty()) return nullptr;
  ordered_json single = ordered_json::array(), pair = ordered_json::array();
  ordered_json names = ordered_json::object();
  const auto put = [&](const std::vector<int64_t>& ids, int type_id, ordered_json& pieces) {
    for (int64_t id : ids) {
      const std::string& token = tokenizer.vocabulary().token_of(id);
      pieces.push_back({{"SpecialToken", {{"id", token}, {"type_id", type_id}}}});
      names[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
    }
  };
  const auto put_sequence = [&](const char* name, int type_id, ordered_json& pieces) {
    put(before, type_id, pieces);
    pieces.push_back({{"Sequence", {{"id", name}, {"type_id", type_id}}}});
    put(after, type_id, pieces);
  };
  put_sequence("A", 0, single);
  put_sequence("A", 0, pair);
  put_sequence("B", 1, pair);
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", names}};
}

}  // namespace

ordered_json tokenizer_json(const ByteLevelBpe& tokenizer) {
  const bool nfc = tokenizer.rules().normalization == Normalization::nfc;
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added_tokens_json(tokenizer.vocabulary())},
          {"normalizer", nfc ? ordered_json{{"type", "NFC"}} : ordered_json(nullptr)},
          {"pre_tokenizer", pre_tokenizer_json(tokenizer.rules().splits)},
          {"post_processor", post_processor_json(tokenizer)},
          {"decoder",
           {{"type", "ByteLevel"},
            {"add_prefix_space", true},
            {"trim_offsets", true},
            {"use_regex", true}}},
          {"model", model_json(tokenizer)}};
}

}  // namespace rlhf::text
