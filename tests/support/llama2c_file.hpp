/// A tokenizer.bin of llama2.c, small enough to follow by hand.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace rlhf::test {

struct ScoredToken {
  std::string token;
  float score;
};

/// The marks, the bytes, a space and these.
inline std::vector<ScoredToken> llama2c_tokens(const std::vector<ScoredToken>& more) {
  std::vector<ScoredToken> tokens{{"<unk>", 0}, {"\n<s>\n", 0}, {"\n</s>\n", 0}};
  for (unsigned byte = 0; byte < 256; ++byte) {
    char spelt[8];
    std::snprintf(spelt, sizeof spelt, "<0x%02X>", byte);
    tokens.push_back({spelt, 0});
  }
  tokens.push_back({" ", -100});
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

inline std::string llama2c_file(const std::vector<ScoredToken>& tokens, int32_t longest = 16) {
  std::string bytes(reinterpret_cast<const char*>(&longest), 4);
  for (const auto& [token, score] : tokens) {
    const auto length = static_cast<int32_t>(token.size());
    bytes.append(reinterpret_cast<const char*>(&score), 4);
    bytes.append(reinterpret_cast<const char*>(&length), 4);
    bytes += token;
  }
  return bytes;
}

}  // namespace rlhf::test
