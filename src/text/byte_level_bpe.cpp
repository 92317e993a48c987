#include "rlhf/text/byte_level_bpe.hpp"

#include <fmt/format.h>

#include "bpe_tables.hpp"
#include "normal_form.hpp"

namespace rlhf {

std::vector<AddedToken> gpt2_added_tokens() {
  return {{.content = "<|endoftext|>", .kind = TokenKind::end}};
}

ByteLevelBpe::Tables::Ids ByteLevelBpe::Tables::set_vocabulary(std::vector<std::string> tokens,
                                                               std::vector<AddedToken> added) {
  Ids known;
  known.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!tokens[id].empty()) known.emplace(tokens[id], static_cast<int32_t>(id));
  }
  for (AddedToken& token : added) {
    const bool composes = token.normalized && rules.normalization == Normalization::nfc;
    if (composes && io::utf8_prefix(token.content) == token.content.size()) {
      token.content = text::nfc(token.content);
    }
  }
  vocabulary.emplace(std::move(tokens), std::move(added));
  find_bytes(known);
  require_marks();
  add_normalized();
  return known;
}

void ByteLevelBpe::Tables::find_bytes(const Ids& known) {
  require_known(rules.missing_byte, MissingByte::unknown_fused, "BpeRules::missing_byte",
                "a value of MissingByte");
  require_known(rules.normalization, Normalization::nfc, "BpeRules::normalization",
                "a value of Normalization");
  for (size_t byte = 0; byte < 256; ++byte) {
    const char token = static_cast<char>(byte);
    const auto place = known.find(std::string_view(&token, 1));
    byte_ids[byte] = place == known.end() ? -1 : place->second;
    if (byte_ids[byte] < 0 && rules.missing_byte == MissingByte::refuse) {
      fail("tokens of a ByteLevelBpe", "all 256 bytes", fmt::format("no {:#04x}", byte));
    }
  }
  if (rules.missing_byte < MissingByte::unknown) return;
  require(rules.unknown_token.has_value(), "BpeRules::unknown_token",
          "a token, as MissingByte::unknown says", "none");
  unknown = static_cast<int32_t>(vocabulary->id_of(*rules.unknown_token));
}

void ByteLevelBpe::Tables::set_merges(const std::vector<std::pair<std::string, std::string>>& pairs,
                                      Ids known, const Where& where) {
  const auto id_of = [&](std::string_view token) {
    const auto place = known.find(token);
    if (place == known.end()) {
      fail(where(merges.size()), "tokens of the vocabulary", fmt::format("{:?}", token));
    }
    return place->second;
  };
  merges.reserve(pairs.size());
  for (const auto& [left, right] : pairs) {
    const int32_t a = id_of(left), b = id_of(right);
    const text::Merge merge{static_cast<int32_t>(merges.size()), id_of(left + right)};
    if (!merge_of.add(a, b, merge)) {
      fail(where(merges.size()), "a merge that stands once",
           fmt::format("a second {:?} and {:?}", left, right));
    }
    merges.emplace_back(a, b);
  }
  require_special_tokens_apart();
  if (rules.ignore_merges) whole = std::move(known);
}

/// No special token may come out of text, unless whoever added it says by its id that it does.
void ByteLevelBpe::Tables::require_special_tokens_apart() const {
  std::vector<bool> chosen(static_cast<size_t>(vocabulary->size()));
  for (const AddedToken& token : vocabulary->added_tokens()) {
    if (token.id) chosen[static_cast<size_t>(*token.id)] = true;
  }
  const auto check = [&](int64_t id) {
    if (id < 0 || vocabulary->kind_of(id) == TokenKind::ordinary) return;
    if (chosen[static_cast<size_t>(id)]) return;
    fail(fmt::format("special token {:?}", vocabulary->token_of(id)),
         "a token that no text becomes", "a byte or the product of a merge");
  };
  for (int32_t id : byte_ids) check(id);
  for (const auto& [left, right] : merges) check(merge_of.find(left, right)->result);
}

void ByteLevelBpe::Tables::require_marks() const {
  for (const auto* ids : {&rules.marks.before, &rules.marks.after}) {
    for (int64_t id : *ids) {
      require(id >= 0 && id < vocabulary->size(), "id in SequenceMarks",
              fmt::format(">= 0 and < {}", vocabulary->size()), id);
    }
  }
}

void ByteLevelBpe::Tables::add_normalized() {
  const auto& added = vocabulary->added_tokens();
  for (size_t i = 0; i < added.size(); ++i) {
    if (added[i].normalized) normalized.add(added[i], vocabulary->added_ids()[i]);
  }
}

void ByteLevelBpe::Tables::append_byte(char byte, std::vector<int32_t>& symbols) const {
  const int32_t id = byte_ids[static_cast<uint8_t>(byte)];
  if (id >= 0) {
    symbols.push_back(id);
  } else if (unknown) {
    symbols.push_back(*unknown);
  }
}

std::vector<int32_t> ByteLevelBpe::Tables::merged(std::string_view piece) const {
  std::vector<int32_t> symbols;
  symbols.reserve(piece.size());
  bool after_missing = false;
  for (char byte : piece) {
    const bool missing = byte_ids[static_cast<uint8_t>(byte)] < 0;
    const bool fused = rules.missing_byte == MissingByte::unknown_fused;
    if (!(missing && after_missing && fused)) append_byte(byte, symbols);
    after_missing = missing;
  }
  return text::merge_pairs(symbols, merge_of);
}

void ByteLevelBpe::Tables::encode_piece(std::string_view piece, std::vector<int64_t>& ids) {
  if (cache.append(piece, ids)) return;
  const auto known = whole.find(piece);
  const std::vector<int32_t> symbols =
      known == whole.end() ? merged(piece) : std::vector<int32_t>{known->second};
  cache.store(piece, symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

/// A text between two added tokens that need no normalization.
void ByteLevelBpe::Tables::encode_segment(std::string_view text, SpecialText special,
                                          std::vector<int64_t>& ids) {
  const auto on_piece = [&](std::string_view piece) { encode_piece(piece, ids); };
  const auto on_normalized = [&](std::string_view whole_text) {
    for (const text::Segment& segment : normalized.segments(whole_text, special)) {
      if (segment.id) {
        ids.push_back(*segment.id);
      } else {
        splitter.cut(segment.text, on_piece);
      }
    }
  };
  const auto on_text = [&](std::string_view valid) {
    if (rules.normalization == Normalization::nfc) {
      on_normalized(text::nfc(valid));
    } else {
      on_normalized(valid);
    }
  };
  const auto on_byte = [&](std::string_view byte) {
    std::vector<int32_t> symbols;
    append_byte(byte.front(), symbols);
    ids.insert(ids.end(), symbols.begin(), symbols.end());
  };
  text::split_invalid(text, on_text, on_byte);
}

ByteLevelBpe::ByteLevelBpe(BpeParts parts)
    : tables_(std::make_shared<Tables>(std::move(parts.rules))) {
  auto known = tables_->set_vocabulary(std::move(parts.tokens), std::move(parts.added));
  tables_->set_merges(parts.merges, std::move(known),
                      [](size_t merge) { return fmt::format("merge {}", merge); });
}

std::vector<int64_t> ByteLevelBpe::encode(std::string_view text, SpecialText special) const {
  std::vector<int64_t> ids;
  for (const text::Segment& segment : tables_->vocabulary->segments(text, special)) {
    if (segment.id) {
      ids.push_back(*segment.id);
    } else {
      tables_->encode_segment(segment.text, special, ids);
    }
  }
  return ids;
}

std::vector<int64_t> ByteLevelBpe::encode_sequence(std::string_view text,
                                                   SpecialText special) const {
  const auto& [before, after] = rules().marks;
  std::vector<int64_t> ids = before;
  const std::vector<int64_t> inner = encode(text, special);
  ids.insert(ids.end(), inner.begin(), inner.end());
  ids.insert(ids.end(), after.begin(), after.end());
  return ids;
}

std::string ByteLevelBpe::decode(std::span<const int64_t> ids, SpecialTokens special) const {
  return tables_->vocabulary->decode(ids, special);
}

std::vector<int64_t> ByteLevelBpe::end_tokens() const {
  return tables_->vocabulary->end_tokens();
}

const Vocabulary& ByteLevelBpe::vocabulary() const {
  return *tables_->vocabulary;
}

const BpeRules& ByteLevelBpe::rules() const {
  return tables_->rules;
}

std::vector<std::pair<std::string, std::string>> ByteLevelBpe::merges() const {
  std::vector<std::pair<std::string, std::string>> named;
  for (const auto& [left, right] : tables_->merges) {
    named.emplace_back(vocabulary().token_of(left), vocabulary().token_of(right));
  }
  return named;
}

}  // namespace rlhf
