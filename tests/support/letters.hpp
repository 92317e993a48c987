/// The smallest tokenizer, and rollouts spelt in it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rlhf/core/concepts.hpp"

namespace rlhf {

/// A token a letter, 'a' being 1; '.' is 0, ends a response and is special; all else is dropped.
struct Letters {
  std::vector<int64_t> ends = {0};

  std::vector<int64_t> encode(std::string_view text) const {
    std::vector<int64_t> tokens;
    for (char byte : text) {
      if (byte == '.') tokens.push_back(0);
      if (byte >= 'a' && byte <= 'z') tokens.push_back(byte - 'a' + 1);
    }
    return tokens;
  }
  std::string decode(std::span<const int64_t> tokens, SpecialTokens special) const {
    std::string text;
    for (int64_t token : tokens) {
      if (token == 0 && special == SpecialTokens::drop) continue;
      text.push_back(token == 0 ? '.' : static_cast<char>('a' + token - 1));
    }
    return text;
  }
  std::vector<int64_t> end_tokens() const { return ends; }
};

/// Prompts and responses; a response that does not end in '.' was cut off.
inline Rollout rollout_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<std::vector<int64_t>> prompts, responses;
  Rollout rollout;
  for (const auto& [prompt, response] : pairs) {
    prompts.push_back(Letters{}.encode(prompt));
    responses.push_back(Letters{}.encode(response));
    rollout.finish.push_back(response.ends_with('.') ? Finish::eos : Finish::length);
  }
  rollout.completions = completions_from(prompts, responses);
  return rollout;
}

}  // namespace rlhf
