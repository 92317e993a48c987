/// Byte-level BPEs small enough to follow by hand.
#pragma once

#include "rlhf/text/byte_level_bpe.hpp"

namespace rlhf::test {

/// The 256 bytes (id = byte), then what these merges make.
inline BpeParts small_bpe(std::vector<std::pair<std::string, std::string>> merges,
                          std::vector<AddedToken> added = {}) {
  BpeParts parts{.tokens = {}, .merges = std::move(merges), .added = std::move(added)};
  for (int byte = 0; byte < 256; ++byte) parts.tokens.emplace_back(1, static_cast<char>(byte));
  for (const auto& [left, right] : parts.merges) parts.tokens.push_back(left + right);
  return parts;
}

/// The tokens' bytes, one string a token.
inline std::vector<std::string> tokens_of(const Vocabulary& vocabulary,
                                          const std::vector<int64_t>& ids) {
  std::vector<std::string> tokens;
  for (int64_t id : ids) tokens.push_back(vocabulary.token_of(id));
  return tokens;
}

}  // namespace rlhf::test
