#include "tokenizer_json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "byte_alphabet.hpp"
#include "json_field.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::text {
namespace {

using nlohmann::json;

constexpr int64_t largest_tokenizer_file = int64_t{1} << 28;
constexpr size_t most_gaps = size_t{1} << 16;  // ids of a model that no token has

/// Tokens as the file spells them, by id; an empty string where an id has none.
std::vector<std::string> spelt_tokens(const JsonField& vocab) {
  if (!vocab.value().is_object()) vocab.refuse("an object of tokens and ids");
  std::vector<std::string> tokens;
  const size_t end = vocab.value().size() + most_gaps;
  for (const auto& [token, value] : vocab.value().items()) {
    const auto where = [&] { return vocab.at(token).where(); };  // made only for messages
    if (!value.is_number_unsigned()) vocab.at(token).refuse("a whole number >= 0");
    if (value.get<uint64_t>() >= end) {
      fail(where(), fmt::format("< {}, as there are {} tokens", end, vocab.value().size()),
           value.dump());
    }
    if (token.empty()) fail(vocab.where() + ": token", "at least one character", "none");
    const auto place = value.get<size_t>();
    if (place >= tokens.size()) tokens.resize(place + 1);
    if (!tokens[place].empty()) {
      fail(where(), "an id of its own", fmt::format("{}, as {:?}", place, tokens[place]));
    }
    tokens[place] = token;
  }
  return tokens;
}

std::vector<std::pair<std::string, std::string>> read_merges_field(const JsonField& merges) {
  std::vector<std::pair<std::string, std::string>> pairs;
  pairs.reserve(merges.size());
  for (size_t i = 0; i < merges.size(); ++i) {
    const json& value = merges.value()[i];
    std::string_view left, right;
    if (value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string()) {
      left = value[0].get_ref<const std::string&>();
      right = value[1].get_ref<const std::string&>();
    } else if (value.is_string()) {
      const std::string_view line = value.get_ref<const std::string&>();
      if (i == 0 && line.starts_with("#version")) continue;
      const size_t space = std::min(line.find(' '), line.size());
      left = line.substr(0, space);
      right = line.substr(std::min(space + 1, line.size()));
    }
    if (left.empty() || right.empty()) {
      merges.at(i).refuse("two tokens: \"left right\" or [\"left\", \"right\"]");
    }
    pairs.emplace_back(bytes_of_token(left), bytes_of_token(right));
  }
  return pairs;
}

/// Parts of the format that change the result and that no byte-level model here has.
void require_plain_model(const JsonField& model) {
  if (const auto type = model.find("type"); type && type->string() != "BPE") model.refuse("BPE");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (const auto affix = model.find(key); affix && !affix->string().empty()) {
      affix->refuse("null: byte-level models have none");
    }
  }
  if (const auto fallback = model.find("byte_fallback"); fallback && fallback->boolean()) {
    fallback->refuse("false: byte-level models need no fallback");
  }
  const auto dropout = model.find("dropout");
  if (dropout && dropout->value() != 0) dropout->refuse("null: encoding is not random");
}

void read_model(const JsonField& model, BpeParts& parts, std::vector<std::string>& spelt) {
  require_plain_model(model);
  spelt = spelt_tokens(model.at("vocab"));
  parts.merges = read_merges_field(model.at("merges"));
  parts.rules.ignore_merges = model.flag("ignore_merges", false);
  parts.rules.missing_byte = MissingByte::drop;
  const auto unknown = model.find("unk_token");
  if (!unknown || unknown->string().empty()) return;  // GPT-2's own file says ""
  if (std::find(spelt.begin(), spelt.end(), unknown->string()) == spelt.end()) {
    unknown->refuse("a token of model.vocab");
  }
  parts.rules.missing_byte =
      model.flag("fuse_unk", false) ? MissingByte::unknown_fused : MissingByte::unknown;
  parts.rules.unknown_token = bytes_of_token(unknown->string());
}

AddedToken read_added_token(const JsonField& field) {
  const bool special = field.flag("special", false);
  return {.content = field.at("content").string(),
          .kind = special ? TokenKind::special : TokenKind::ordinary,
          .whole_word = field.flag("whole_word", false),
          .single_word = field.flag("single_word", false),
          .strip_left = field.flag("lstrip", false),
          .strip_right = field.flag("rstrip", false),
          .normalized = field.flag("normalized", !special),
          .id = field.at("id").id()};
}

/// Added tokens with their ids; what the model has at these ids is theirs.
std::vector<AddedToken> read_added_tokens(const JsonField& root,
                                          const std::vector<std::string>& spelt) {
  std::vector<AddedToken> added;
  const auto field = root.find("added_tokens");
  if (!field) return added;
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t id = 0; id < spelt.size(); ++id) {
    if (!spelt[id].empty()) ids.emplace(spelt[id], id);
  }
  for (size_t i = 0; i < field->size(); ++i) {
    added.push_back(read_added_token(field->at(i)));
    const AddedToken& token = added.back();
    const auto place = ids.find(token.content);
    if (place != ids.end() && static_cast<size_t>(*token.id) != place->second) {
      fail(field->at(i).where() + ".id",
           fmt::format("{}, the id of {:?} in model.vocab", place->second, token.content),
           fmt::format("{}", *token.id));
    }
  }
  return added;
}

Normalization read_normalizer(const std::optional<JsonField>& field) {
  if (!field) return Normalization::none;
  const std::string& type = field->at("type").string();
  if (type == "NFC") return Normalization::nfc;
  if (type != "Sequence") field->refuse("NFC or a Sequence of it");
  Normalization normalization = Normalization::none;
  const JsonField parts = field->at("normalizers");
  for (size_t i = 0; i < parts.size(); ++i) {
    if (read_normalizer(parts.at(i)) == Normalization::nfc) normalization = Normalization::nfc;
  }
  return normalization;
}

void read_template(const JsonField& field, SequenceMarks& marks) {
  const JsonField pieces = field.at("single");
  std::vector<int64_t> before, after;
  bool in_front = true;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const JsonField piece = pieces.at(i);
    if (const auto special = piece.find("SpecialToken")) {
      const JsonField ids = field.at("special_tokens").at(special->at("id").string()).at("ids");
      for (size_t k = 0; k < ids.size(); ++k) {
        (in_front ? before : after).push_back(ids.at(k).id());
      }
    } else if (piece.find("Sequence") && in_front) {
      in_front = false;
    } else {
      piece.refuse("special tokens around one Sequence");
    }
  }
  if (in_front) pieces.refuse("special tokens around one Sequence");
  // What a processor before this one put stands within.
  marks.before.insert(marks.before.begin(), before.begin(), before.end());
  marks.after.insert(marks.after.end(), after.begin(), after.end());
}

void read_post_processor(const JsonField& field, SequenceMarks& marks) {
  const std::string& type = field.at("type").string();
  if (type == "ByteLevel") return;  // it moves offsets, which nobody asks for here
  if (type == "TemplateProcessing") return read_template(field, marks);
  if (type != "Sequence") field.refuse("ByteLevel, TemplateProcessing or a Sequence of them");
  const JsonField parts = field.at("processors");
  for (size_t i = 0; i < parts.size(); ++i) read_post_processor(parts.at(i), marks);
}

void require_byte_level_decoder(const JsonField& root) {
  const auto decoder = root.find("decoder");
  if (!decoder) fail(root.where() + ": decoder", "ByteLevel", "none");
  if (decoder->at("type").string() != "ByteLevel") decoder->refuse("ByteLevel");
}

}  // namespace

BpeParts read_tokenizer_json(const std::filesystem::path& path) {
  const json value = io::read_json(path, largest_tokenizer_file);
  const JsonField root(value, path);
  if (const auto version = root.find("version"); version && version->string() != "1.0") {
    version->refuse("1.0");
  }
  BpeParts parts;
  std::vector<std::string> spelt;
  read_model(root.at("model"), parts, spelt);
  parts.added = read_added_tokens(root, spelt);
  parts.rules.normalization = read_normalizer(root.find("normalizer"));
  parts.rules.splits = read_pre_tokenizer(root.at("pre_tokenizer"));
  if (const auto processor = root.find("post_processor")) {
    read_post_processor(*processor, parts.rules.marks);
  }
  require_byte_level_decoder(root);
  for (std::string& token : spelt) parts.tokens.push_back(bytes_of_token(token));
  // An added token that the model spells in no alphabet is not the model's to make.
  for (const AddedToken& token : parts.added) {
    const auto id = static_cast<size_t>(*token.id);
    if (id < spelt.size() && spelt[id] == token.content && !from_byte_alphabet(token.content)) {
      parts.tokens[id].clear();
    }
  }
  return parts;
}

}  // namespace rlhf::text
