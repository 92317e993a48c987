#include "pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>

#include "rlhf/core/error.hpp"

namespace rlhf::text {
namespace {

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer = {};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

// Unicode 15.0, 15.1 and 16.0 over 14.0, the oldest that PCRE2 10.40 to 10.42 know.
const std::string& letters() {
  static const std::string ranges =
      R"(\p{L})"
      R"(\x{1C89}-\x{1C8A}\x{A7CB}-\x{A7CD}\x{A7DA}-\x{A7DC}\x{105C0}-\x{105F3})"
      R"(\x{10D4A}-\x{10D65}\x{10D6F}-\x{10D85}\x{10EC2}-\x{10EC4}\x{1123F}-\x{11240})"
      R"(\x{11380}-\x{11389}\x{1138B}\x{1138E}\x{11390}-\x{113B5}\x{113B7}\x{113D1}\x{113D3})"
      R"(\x{11BC0}-\x{11BE0}\x{11F02}\x{11F04}-\x{11F10}\x{11F12}-\x{11F33}\x{1342F})"
      R"(\x{13441}-\x{13446}\x{13460}-\x{143FA}\x{16100}-\x{1611D}\x{16D40}-\x{16D6C})"
      R"(\x{18CFF}\x{1B132}\x{1B155}\x{1DF25}-\x{1DF2A}\x{1E030}-\x{1E06D}\x{1E4D0}-\x{1E4EB})"
      R"(\x{1E5D0}-\x{1E5ED}\x{1E5F0}\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";
  return ranges;
}

const std::string& numbers() {
  static const std::string ranges =
      R"(\p{N})"
      R"(\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9}\x{11F50}-\x{11F59})"
      R"(\x{16130}-\x{16139}\x{16D70}-\x{16D79}\x{1CCF0}-\x{1CCF9}\x{1D2C0}-\x{1D2D3})"
      R"(\x{1E4F0}-\x{1E4F9}\x{1E5F1}-\x{1E5FA})";
  return ranges;
}

// PCRE2's \s has U+180E, which Unicode no longer counts as white space.
const std::string& white_space() {
  static const std::string ranges =
      R"(\x09-\x0D\x20\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
  return ranges;
}

bool is_word_character(std::string_view character) {
  static const Pattern word(fmt::format(R"([{}{}\p{{M}}_])", letters(), numbers()));
  if (character.size() == 1) {
    const char c = character.front();
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  }
  return word.matches(character);
}

Pattern::Pattern(const std::string& source) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                            nullptr));
  if (!code_) {
    fail(fmt::format("split pattern {:?}: {} at offset {}", source, message_of(error), offset));
  }
  // Where this machine allows no JIT code, pcre2_match interprets the pattern.
  pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
}

void Pattern::Free::operator()(pcre2_code* code) const {
  pcre2_code_free(code);
}
void Pattern::Free::operator()(pcre2_match_data* data) const {
  pcre2_match_data_free(data);
}

Pattern::MatchData Pattern::match_data() const {
  return MatchData(pcre2_match_data_create(1, nullptr));
}

bool Pattern::matches(std::string_view text) const {
  return find(text, 0, *match_data()).first < text.size();
}

std::pair<size_t, size_t> Pattern::find(std::string_view text, size_t from,
                                        pcre2_match_data& data) const {
  // Without NO_UTF_CHECK each call would read the whole text again.
  const int count = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                from, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, &data, nullptr);
  if (count == PCRE2_ERROR_NOMATCH) return {text.size(), text.size()};
  if (count < 0)
    fail(fmt::format("split pattern on a text of {} bytes: {}", text.size(), message_of(count)));
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(&data);
  return {bounds[0], bounds[1]};
}

}  // namespace rlhf::text
