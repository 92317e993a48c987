#include "rlhf/text/byte_level_bpe.hpp"

#include <fmt/format.h>

#include "bpe_tables.hpp"

namespace rlhf {

const std::string& gpt2_split_pattern() {
  static const std::string pattern = fmt::format(
      R"('s|'t|'re|'ve|'m|'ll|'d| ?[{0}]+| ?[{1}]+| ?[^{2}{0}{1}]+|[{2}]+(?![^{2}])|[{2}]+)",
      text::letters(), text::numbers(), text::white_space());
  return pattern;
}

std::vector<AddedToken> gpt2_added_tokens() {
  return {{.content = "<|endoftext|>", .kind = TokenKind::end}};
}

ByteLevelBpe::Tables::Tables(std::vector<std::string> tokens, std::vector<AddedToken> added,
                             std::string split)
    : vocabulary(std::move(tokens), std::move(added)),
      split_pattern(std::move(split)),
      pattern(split_pattern) {
  for (size_t byte = 0; byte < 256; ++byte) {
    const char token = static_cast<char>(byte);
    const auto id = vocabulary.find({&token, 1});
    if (!id) fail("tokens of a ByteLevelBpe", "all 256 bytes", fmt::format("no {:#04x}", byte));
    byte_ids[byte] = static_cast<int32_t>(*id);
  }
}

void ByteLevelBpe::Tables::require_special_tokens_apart() const {
  const auto check = [&](int64_t id) {
    if (vocabulary.kind_of(id) == TokenKind::ordinary) return;
    fail(fmt::format("special token {:?}", vocabulary.token_of(id)), "a token that no text becomes",
         "a byte or the product of a merge");
  };
  for (int32_t id : byte_ids) check(id);
  for (const auto& [left, right] : merges) check(merge_of.find(left, right)->result);
}

void ByteLevelBpe::Tables::encode_piece(std::string_view piece, std::vector<int64_t>& ids) {
  if (cache.append(piece, ids)) return;
  std::vector<int32_t> symbols;
  symbols.reserve(piece.size());
  for (char byte : piece) symbols.push_back(byte_ids[static_cast<uint8_t>(byte)]);
  symbols = text::merge_pairs(symbols, merge_of);
  cache.store(piece, symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

ByteLevelBpe::ByteLevelBpe(BpeParts parts)
    : tables_(std::make_shared<Tables>(std::move(parts.tokens), std::move(parts.added),
                                       std::move(parts.split_pattern))) {
  for (const auto& [left, right] : parts.merges) {
    tables_->add_merge(left, right,
                       [&] { return fmt::format("merge {}", tables_->merges.size()); });
  }
  tables_->require_special_tokens_apart();
}

std::vector<int64_t> ByteLevelBpe::encode(std::string_view text, SpecialText special) const {
  std::vector<int64_t> ids;
  const auto on_byte = [&](std::string_view byte) {
    ids.push_back(tables_->byte_ids[static_cast<uint8_t>(byte.front())]);
  };
  const auto on_text = [&](std::string_view valid) {
    tables_->pattern.split(valid,
                           [&](std::string_view piece) { tables_->encode_piece(piece, ids); });
  };
  for (const text::Segment& segment : tables_->vocabulary.segments(text, special)) {
    if (segment.id) {
      ids.push_back(*segment.id);
    } else {
      text::split_invalid(segment.text, on_text, on_byte);
    }
  }
  return ids;
}

std::string ByteLevelBpe::decode(std::span<const int64_t> ids, SpecialTokens special) const {
  return tables_->vocabulary.decode(ids, special);
}

std::vector<int64_t> ByteLevelBpe::end_tokens() const {
  return tables_->vocabulary.end_tokens();
}

const Vocabulary& ByteLevelBpe::vocabulary() const {
  return tables_->vocabulary;
}

const std::string& ByteLevelBpe::split_pattern() const {
  return tables_->split_pattern;
}

std::vector<std::pair<std::string, std::string>> ByteLevelBpe::merges() const {
  std::vector<std::pair<std::string, std::string>> named;
  for (const auto& [left, right] : tables_->merges) {
    named.emplace_back(vocabulary().token_of(left), vocabulary().token_of(right));
  }
  return named;
}

}  // namespace rlhf
