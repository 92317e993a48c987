/// Regular expressions over UTF-8.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rlhf/io/utf8.hpp"

struct pcre2_real_code_8;

namespace rlhf::text {

/// A compiled PCRE2 pattern, shared by threads.
class Pattern {
 public:
  /// @param shown  the pattern as its user wrote it, for messages
  /// @throws Error naming the pattern and the place where it is wrong
  explicit Pattern(const std::string& source) : Pattern(source, source) {}
  Pattern(const std::string& source, const std::string& shown);

  /// Whether it matches anywhere in the text.
  bool matches(std::string_view text) const { return find(text, 0).has_value(); }

  /// Start and end of the leftmost match at or after `from`. `text` must be valid UTF-8.
  /// @throws Error if matching exceeds PCRE2's limits
  std::optional<std::pair<size_t, size_t>> find(std::string_view text, size_t from) const;

  /// Calls visit(start, end) for every match, in order. An empty one right behind another match is
  /// none.
  template <class Visit>
  void each_match(std::string_view text, Visit&& visit) const {
    size_t from = 0;
    std::optional<size_t> last_end;
    while (from <= text.size()) {
      const auto match = find(text, from);
      if (!match) return;
      const auto [start, end] = *match;
      if (start == end && last_end == end) {
        from += std::max<size_t>(1, io::utf8_length(text.substr(from)));
        continue;
      }
      visit(start, end);
      from = end;
      last_end = end;
    }
  }

  /// Calls visit(piece) for every match, and for every stretch between matches, in order.
  template <class Visit>
  void split(std::string_view text, Visit&& visit) const {
    size_t done = 0;
    each_match(text, [&](size_t start, size_t end) {
      if (start > done) visit(text.substr(done, start - done));
      if (end > start) visit(text.substr(start, end - start));
      done = end;
    });
    if (done < text.size()) visit(text.substr(done));
  }

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };

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
