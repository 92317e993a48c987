/// A tokenizer of letters and rollouts spelt in it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rlhf/core/concepts.hpp"

namespace rlhf {

/// A token a byte; '.' ends a response and is special.
struct Letters {
  std::vector<int64_t> encode(std::string_view text) const { return {text.begin(), text.end()}; }
  std::string decode(std::span<const int64_t> tokens, SpecialTokens special) const {
    std::string text;
    for (int64_t token : tokens) {
      if (token != '.' || special == SpecialTokens::keep) text.push_back(static_cast<char>(token));
    }
    return text;
  }
  std::vector<int64_t> end_tokens() const { return {'.'}; }
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
