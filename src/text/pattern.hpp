/// Regular expressions over UTF-8, and the character classes that tokenizers cut by.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "rlhf/io/utf8.hpp"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;

namespace rlhf::text {

/// Contents of a character class: Unicode 16's letters, numbers and white space. PCRE2's own depend
/// on its version and a tokenizer's must not, so what later Unicode versions added is spelt out.
const std::string& letters();
const std::string& numbers();
const std::string& white_space();

/// Whether one character (valid UTF-8) is a letter, number, combining mark or underscore.
bool is_word_character(std::string_view character);

/// A compiled pattern, shared by threads.
class Pattern {
 public:
  /// @throws Error naming the pattern and the place where it is wrong
  explicit Pattern(const std::string& source);

  /// Whether it matches anywhere in the text.
  bool matches(std::string_view text) const;

  /// Calls visit(piece) for every match, and for every stretch between matches, in order.
  /// `text` must be valid UTF-8. @throws Error if matching exceeds PCRE2's limits
  template <class Visit>
  void split(std::string_view text, Visit&& visit) const {
    const MatchData data = match_data();
    size_t done = 0;
    while (done < text.size()) {
      const auto [start, end] = find(text, done, *data);
      if (start > done) visit(text.substr(done, start - done));
      if (end > start) visit(text.substr(start, end - start));
      done = end;
    }
  }

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
    void operator()(pcre2_real_match_data_8* data) const;
  };
  using MatchData = std::unique_ptr<pcre2_real_match_data_8, Free>;

  MatchData match_data() const;
  /// The next match that is not empty; {size, size} where there is none.
  std::pair<size_t, size_t> find(std::string_view text, size_t from,
                                 pcre2_real_match_data_8& data) const;

  std::unique_ptr<pcre2_real_code_8, Free> code_;
};

/// Calls on_text(stretch) for each longest valid stretch of the bytes, on_byte(byte) for each byte
/// that is part of none.
template <class OnText, class OnByte>
void split_invalid(std::string_view bytes, OnText&& on_text, OnByte&& on_byte) {
  while (!bytes.empty()) {
    const size_t valid = io::utf8_prefix(bytes);
    if (valid > 0) on_text(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) return;
    on_byte(bytes.substr(0, 1));
    bytes.remove_prefix(1);
  }
}

}  // namespace rlhf::text
