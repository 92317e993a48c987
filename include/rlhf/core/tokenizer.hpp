/// What a tokenizer must offer. No LibTorch is read.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

/// Whether decoding shows or hides special tokens.
enum class SpecialTokens : uint8_t { keep, drop };

/// Text to tokens and back.
///  1. encode(std::string_view) -> std::vector<int64_t>
///  2. decode(std::span<const int64_t>, SpecialTokens) -> std::string
///  3. end_tokens() -> std::vector<int64_t>, the ids that end a response
template <class T>
concept Tokenizer = requires(const T& tokenizer, std::string_view text,
                             std::span<const int64_t> tokens, SpecialTokens special) {
  { tokenizer.encode(text) } -> std::convertible_to<std::vector<int64_t>>;
  { tokenizer.decode(tokens, special) } -> std::convertible_to<std::string>;
  { tokenizer.end_tokens() } -> std::convertible_to<std::vector<int64_t>>;
};

/// True, or stops the compiler with the sentence that names what is missing.
template <class T>
consteval bool require_tokenizer() {
  static_assert(Tokenizer<T>,
                "rlhf: a Tokenizer must have encode(std::string_view) -> std::vector<int64_t>, "
                "decode(std::span<const int64_t>, SpecialTokens) -> std::string and end_tokens() "
                "-> std::vector<int64_t>, all const");
  return true;
}

}  // namespace rlhf
