#include <fmt/format.h>

#include <map>
#include <unordered_set>

#include "byte_alphabet.hpp"
#include "rlhf/core/error.hpp"
#include "tokenizer_json.hpp"

namespace rlhf::text {
namespace {

using nlohmann::ordered_json;

/// By id, as `tokenizers` reads them.
ordered_json added_tokens_json(const Vocabulary& vocabulary) {
  std::map<int64_t, ordered_json> tokens;
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
    tokens.emplace(vocabulary.added_ids()[i], std::move(entry));
  }
  ordered_json list = ordered_json::array();
  for (auto& [id, entry] : tokens) list.push_back(std::move(entry));
  return list;
}

/// How each id is spelt in model.vocab; nothing for ids that stand for nothing. Added tokens stand
/// there too, as they are: `tokenizers` gives ids of its own to those that it does not find.
std::vector<std::string> spelt_by_model(const Vocabulary& vocabulary) {
  std::vector<std::string> spelt(static_cast<size_t>(vocabulary.size()));
  for (size_t id = 0; id < spelt.size(); ++id) {
    spelt[id] = to_byte_alphabet(vocabulary.token_of(static_cast<int64_t>(id)));
  }
  for (size_t i = 0; i < vocabulary.added_tokens().size(); ++i) {
    const auto id = static_cast<size_t>(vocabulary.added_ids()[i]);
    spelt[id] = vocabulary.added_tokens()[i].content;
  }
  std::unordered_set<std::string_view> seen;
  for (const std::string& each : spelt) {
    if (!each.empty() && !seen.insert(each).second) {
      fail("tokens in a tokenizer.json", "spellings of their own", fmt::format("{:?} twice", each));
    }
  }
  return spelt;
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
  const std::vector<std::string> spelt = spelt_by_model(vocabulary);
  for (size_t id = 0; id < spelt.size(); ++id) {
    if (!spelt[id].empty()) vocab.emplace_back(spelt[id], static_cast<int64_t>(id));
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
