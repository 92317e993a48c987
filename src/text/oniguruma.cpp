#include "oniguruma.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "characters.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/utf8.hpp"
#include "unicode_sets.hpp"

namespace rlhf::text {
namespace {

constexpr int deepest_class = 20;
// Oniguruma counts these Latin-1 numbers among its word characters, and no others of their kind.
constexpr std::string_view latin_numbers = R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";

/// Characters: those of a class's contents, or all others.
struct Set {
  std::string contents;
  bool negated = false;
};

class Translator {
 public:
  explicit Translator(const std::string& pattern) : pattern_(pattern), rest_(pattern) {
    io::require_utf8(pattern, fmt::format("split pattern {:?}", pattern));
  }

  std::string run() {
    while (!rest_.empty()) {
      if (rest_.front() == '\\') {
        escape();
      } else if (rest_.front() == '[') {
        written_ += bracket_class(0);
      } else if (rest_.front() == '(') {
        group();
      } else if (rest_.front() == '{') {
        interval();
      } else {
        written_ += take();
      }
    }
    return std::move(written_);
  }

 private:
  [[noreturn]] void refuse(std::string_view construct) const {
    fail(fmt::format("split pattern {:?}", pattern_), "constructs that this program knows exactly",
         construct);
  }

  bool at(std::string_view text) const { return rest_.starts_with(text); }

  std::string_view take() {
    if (rest_.empty()) refuse("an end where more must follow");
    const std::string_view character = first_character(rest_);
    rest_.remove_prefix(character.size());
    return character;
  }

  bool take_if(std::string_view text) {
    if (!at(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  /// The set of an escape like \s or \p{L}, which is what follows the backslash; nothing if it is
  /// none, and then nothing is taken.
  std::optional<Set> escaped_set() {
    const auto shorthand = [&](char lower, const std::string& contents) -> std::optional<Set> {
      const char upper = static_cast<char>(lower - 'a' + 'A');
      if (rest_.empty() || (rest_.front() != lower && rest_.front() != upper)) return std::nullopt;
      return Set{contents, take().front() == upper};
    };
    if (auto set = shorthand('s', white_space())) return set;
    if (auto set = shorthand('d', *unicode_set("Nd"))) return set;
    if (auto set = shorthand('w', word())) return set;
    if (auto set = shorthand('h', "0-9A-Fa-f")) return set;
    if (!at("p") && !at("P")) return std::nullopt;
    bool negated = take() == "P";
    if (!take_if("{")) refuse("\\p without a name in braces");
    if (take_if("^")) negated = !negated;
    const std::string_view name = rest_.substr(0, rest_.find('}'));
    const auto contents = unicode_set(name);
    if (!contents) refuse(fmt::format("the property {:?}", name));
    rest_.remove_prefix(name.size());
    take();
    return Set{*contents, negated};
  }

  static std::string word() { return word_characters() + std::string(latin_numbers); }

  /// The character of an escape like \n or \x{20}, as PCRE2 takes it anywhere.
  std::string escaped_character() {
    const std::string_view letter = take();
    if (letter == "x") {
      const bool braces = take_if("{");
      const std::string_view digits = hexadecimal(braces ? 8 : 2);
      if (braces && !take_if("}")) refuse("\\x{ without its end");
      return fmt::format("\\x{{{}}}", digits);
    }
    if (letter == "u") return fmt::format("\\x{{{}}}", hexadecimal(4));
    constexpr std::string_view names = "ntrfvae", values = "\n\t\r\f\v\a\x1b";
    const size_t place = letter.size() == 1 ? names.find(letter) : names.npos;
    if (place != names.npos) return literal(std::string_view(&values[place], 1));
    if (letter.size() == 1 && std::isalnum(static_cast<unsigned char>(letter.front()))) {
      refuse(fmt::format("\\{}", letter));
    }
    return literal(letter);
  }

  std::string_view hexadecimal(size_t most) {
    size_t count = 0;
    while (count < std::min(most, rest_.size()) &&
           std::isxdigit(static_cast<unsigned char>(rest_[count]))) {
      ++count;
    }
    if (count == 0 || (most == 4 && count != 4)) refuse("a character's number without digits");
    const std::string_view digits = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return digits;
  }

  static std::string literal(std::string_view character) {
    return fmt::format("\\x{{{:X}}}", static_cast<uint32_t>(code_point(character)));
  }

  /// Outside a class.
  void escape() {
    take();
    if (const auto set = escaped_set()) {
      written_ += fmt::format("[{}{}]", set->negated ? "^" : "", set->contents);
    } else if (at("A") || at("z") || at("Z") ||
               (!rest_.empty() && rest_.front() >= '1' && rest_.front() <= '9')) {
      written_ += '\\';
      written_ += take();
    } else if (at("b") || at("B")) {
      const bool inside = take() == "B";
      written_ += fmt::format("(?:(?<=[{0}])(?{1}[{0}])|(?<![{0}])(?{2}[{0}]))", word(),
                              inside ? '=' : '!', inside ? '!' : '=');
    } else {
      written_ += escaped_character();
    }
  }

  void group() {
    static constexpr std::string_view known[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"};
    for (std::string_view opening : known) {
      if (take_if(opening)) {
        written_ += opening;
        return;
      }
    }
    if (!at("(?")) {
      written_ += take();
      return;
    }
    // Options: Oniguruma's m is PCRE2's s. Without a colon they reach further in Oniguruma, but for
    // a pattern that starts with them.
    const bool first = written_.empty();
    rest_.remove_prefix(2);
    const std::string_view options = rest_.substr(0, rest_.find_first_not_of("im-"));
    rest_.remove_prefix(options.size());
    if (options.empty() || !(at(":") || (first && at(")")))) {
      refuse(fmt::format("the group (?{}{}", options, rest_.substr(0, 1)));
    }
    written_ += "(?";
    for (char option : options) written_ += option == 'm' ? 's' : option;
    written_ += take();
  }

  /// {n}, {n,m}, {n,} and {,m}; any other brace is a character.
  void interval() {
    const std::string_view inner = rest_.substr(1, std::min(rest_.find('}'), rest_.size()) - 1);
    const size_t comma = inner.find(',');
    const bool digits = inner.find_first_not_of("0123456789,") == inner.npos &&
                        inner.find_first_of("0123456789") != inner.npos &&
                        comma == inner.rfind(',') && rest_.find('}') != rest_.npos;
    if (!digits) {
      take();
      written_ += "\\{";
      return;
    }
    written_ += fmt::format("{{{}{}}}", comma == 0 ? "0" : "", inner);
    rest_.remove_prefix(inner.size() + 2);
    if (at("+") || (comma == inner.npos && at("?"))) {
      refuse(fmt::format("the interval {{{}}}{}", inner, rest_.front()));
    }
  }

  /// One element of a class: a set, or a character as PCRE2 writes it.
  struct Element {
    std::optional<Set> set;
    std::string character;
  };

  Element element() {
    if (!take_if("\\")) return {.set = {}, .character = literal(take())};
    if (auto set = escaped_set()) return {.set = std::move(set), .character = {}};
    if (take_if("b")) return {.set = {}, .character = "\\x{8}"};
    return {.set = {}, .character = escaped_character()};
  }

  /// A class as an expression for one character. PCRE2 has no complement within a class, so [a\S]
  /// is [a] or [^white space].
  std::string bracket_class(int depth) {
    if (depth > deepest_class) refuse("classes within classes too deep");
    take();
    const bool negated = take_if("^");
    std::string contents;
    std::vector<std::string> alternatives;
    if (at("]")) refuse("a class that starts with ]");
    while (!take_if("]")) {
      if (at("[:")) refuse("a POSIX class");
      if (at("&&")) refuse("&& in a class");
      if (at("[")) {
        alternatives.push_back(bracket_class(depth + 1));
        continue;
      }
      const Element first = element();
      if (first.set) {
        if (first.set->negated) {
          alternatives.push_back(fmt::format("[^{}]", first.set->contents));
        } else {
          contents += first.set->contents;
        }
        continue;
      }
      contents += first.character;
      if (!at("-") || at("-]")) continue;
      take();
      if (at("[")) refuse("a range that ends in a class");
      const Element last = element();
      if (last.set) refuse("a range that ends in a set");
      contents += '-' + last.character;
    }
    return class_of(contents, alternatives, negated);
  }

  static std::string class_of(const std::string& contents, std::vector<std::string> alternatives,
                              bool negated) {
    if (alternatives.empty()) return fmt::format("[{}{}]", negated ? "^" : "", contents);
    if (!contents.empty()) alternatives.push_back(fmt::format("[{}]", contents));
    const std::string any = fmt::format("(?:{})", fmt::join(alternatives, "|"));
    return negated ? fmt::format("(?:(?!{})[\\x{{0}}-\\x{{10FFFF}}])", any) : any;
  }

  const std::string& pattern_;
  std::string_view rest_;
  std::string written_;
};

}  // namespace

std::string pcre2_pattern(const std::string& pattern) {
  return Translator(pattern).run();
}

}  // namespace rlhf::text
