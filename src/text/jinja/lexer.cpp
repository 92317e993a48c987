#include "lexer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "../characters.hpp"
#include "string_literal.hpp"

namespace rlhf::text::jinja {
namespace {

constexpr std::string_view digits = "0123456789";

/// Line ends become "\n"; one at the end of the template goes.
std::string normalized_lines(std::string_view source) {
  std::string lines;
  for (size_t at = 0; at < source.size(); ++at) {
    if (source[at] != '\r') {
      lines += source[at];
    } else if (at + 1 == source.size() || source[at + 1] != '\n') {
      lines += '\n';
    }
  }
  if (lines.ends_with('\n')) lines.pop_back();
  return lines;
}

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

class Lexer {
 public:
  Lexer(Work& work, std::string_view source) : work_(work), source_(normalized_lines(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) text_and_tag();
    put(TokenType::end, "end of template");
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool looks_at(std::string_view text) const { return rest().starts_with(text); }

  void put(TokenType type, std::string text) {
    work_.charge(1);
    tokens_.push_back({type, std::move(text), work_.line});
  }

  /// Moves on, counting lines.
  void pass(size_t count) {
    const std::string_view passed = rest().substr(0, count);
    work_.line += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
    if (!passed.empty()) line_starts_ = passed.back() == '\n';
  }

  /// Text up to the next tag, and that.
  void text_and_tag() {
    size_t tag = at_;
    for (;; ++tag) {
      tag = std::min(source_.find('{', tag), source_.size());
      if (tag + 1 >= source_.size()) tag = source_.size();
      if (tag == source_.size()) break;
      if (std::string_view("{%#").find(source_[tag + 1]) != std::string_view::npos) break;
    }
    const std::string_view text = rest().substr(0, tag - at_);
    if (tag == source_.size()) {
      put_text(text);
      pass(text.size());
      return;
    }
    const char kind = source_[tag + 1];
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : ' ';
    const bool has_sign = sign == '-' || sign == '+';
    put_text(text.substr(0, kept_before_tag(text, kind, has_sign ? sign : ' ', line_starts_)));
    pass(text.size() + (has_sign ? 3 : 2));
    if (kind == '#') return comment();
    if (kind == '%' && is_raw()) return raw();
    put(kind == '{' ? TokenType::print_begin : TokenType::block_begin, std::string("{") + kind);
    tag_contents(kind == '{' ? "}}" : "%}",
                 kind == '{' ? TokenType::print_end : TokenType::block_end);
  }

  void put_text(std::string_view text) {
    if (!text.empty()) put(TokenType::text, std::string(text));
  }

  /// "-" takes all white space before a tag; otherwise a block or comment takes what stands before
  /// it on its line, where that is white space.
  static size_t kept_before_tag(std::string_view text, char kind, char sign, bool line_starts) {
    if (sign == '-') return text.size() - trailing_python_space(text);
    if (sign == '+' || kind == '{') return text.size();
    const size_t start = text.rfind('\n') + 1;  // npos + 1 is 0
    if (start == 0 && !line_starts) return text.size();
    const std::string_view line = text.substr(start);
    return trailing_python_space(line) == line.size() ? start : text.size();
  }

  /// Passes over the end of a tag and the white space it takes, if it stands here.
  bool pass_end(std::string_view end, bool takes_line_end) {
    if (looks_at(end)) {
      pass(end.size());
      if (takes_line_end && looks_at("\n")) pass(1);
      return true;
    }
    const bool signed_end = !rest().empty() && rest().substr(1).starts_with(end);
    if (signed_end && looks_at("-")) {
      pass(1 + end.size());
      pass(leading_python_space(rest()));
      return true;
    }
    if (signed_end && looks_at("+") && takes_line_end) {
      pass(1 + end.size());
      return true;
    }
    return false;
  }

  void comment() {
    while (!pass_end("#}", true)) {
      if (rest().empty()) work_.refuse("a comment without its end");
      pass(1);
    }
  }

  bool is_raw() const {
    std::string_view inner = rest();
    inner.remove_prefix(leading_python_space(inner));
    if (!inner.starts_with("raw")) return false;
    inner.remove_prefix(3);
    inner.remove_prefix(leading_python_space(inner));
    return inner.starts_with("%}") || inner.starts_with("-%}");
  }

  /// Text up to {% endraw %}, tags and all.
  void raw() {
    pass(leading_python_space(rest()));
    pass(std::string_view("raw").size());
    pass(leading_python_space(rest()));
    pass_end("%}", false);
    const size_t start = at_;
    const bool line_starts = line_starts_;
    while (!rest().empty()) {
      const size_t tag = std::min(source_.find("{%", at_), source_.size());
      pass(tag - at_);
      const std::string_view text = std::string_view(source_).substr(start, tag - start);
      pass(2);
      const char sign = looks_at("-") ? '-' : looks_at("+") ? '+' : ' ';
      if (sign != ' ') pass(1);
      pass(leading_python_space(rest()));
      if (!looks_at("endraw")) continue;
      put_text(text.substr(0, kept_before_tag(text, '%', sign, line_starts)));
      pass(6 + leading_python_space(rest().substr(6)));
      if (pass_end("%}", true)) return;
      break;
    }
    work_.refuse("{% raw %} without its end");
  }

  void tag_contents(std::string_view end, TokenType end_type) {
    std::string open;  // brackets
    while (true) {
      pass(leading_python_space(rest()));
      if (open.empty() && pass_end(end, end_type == TokenType::block_end)) break;
      if (rest().empty()) work_.refuse(fmt::format("a tag without its {}", end));
      token(open);
    }
    put(end_type, std::string(end));
  }

  void token(std::string& open) {
    const char first = rest().front();
    if (is_name_start(first)) {
      size_t length = 1;
      while (length < rest().size() &&
             (is_name_start(rest()[length]) || digits.find(rest()[length]) != digits.npos)) {
        ++length;
      }
      put(TokenType::name, std::string(rest().substr(0, length)));
      pass(length);
    } else if (digits.find(first) != digits.npos) {
      number();
    } else if (first == '\'' || first == '"') {
      const int line = work_.line;
      const StringLiteral literal = read_string_literal(work_, rest());
      pass(literal.length);
      tokens_.push_back({TokenType::string, literal.value, line});
    } else {
      symbol(open);
    }
  }

  void number() {
    const auto run = [&](size_t from) {
      size_t end = from;
      while (end < rest().size() &&
             (digits.find(rest()[end]) != digits.npos || (rest()[end] == '_' && end > from))) {
        ++end;
      }
      return end - from;
    };
    size_t length = run(0);
    bool is_real = false;
    // After a dot it is an item: a.0.1
    const bool is_item = !tokens_.empty() && tokens_.back().is(TokenType::symbol, ".");
    if (!is_item && length < rest().size() && rest()[length] == '.' && run(length + 1) > 0) {
      length += 1 + run(length + 1);
      is_real = true;
    }
    if (!is_item && length < rest().size() && (rest()[length] | 0x20) == 'e') {
      const size_t sign = length + 1 < rest().size() &&
                          std::string_view("+-").find(rest()[length + 1]) != std::string_view::npos;
      if (const size_t exponent = run(length + 1 + sign); exponent > 0) {
        length += 1 + sign + exponent;
        is_real = true;
      }
    }
    std::string spelt(rest().substr(0, length));
    spelt.erase(std::remove(spelt.begin(), spelt.end(), '_'), spelt.end());
    put(is_real ? TokenType::real : TokenType::whole, spelt);
    pass(length);
  }

  void symbol(std::string& open) {
    static constexpr std::string_view symbols[] = {
        "**", "//", "==", "!=", "<=", ">=", "+", "-", "/", "*", "%", "~", "[",
        "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
    const auto* const place = std::find_if(std::begin(symbols), std::end(symbols),
                                           [&](std::string_view each) { return looks_at(each); });
    if (place == std::end(symbols)) {
      work_.refuse(fmt::format("unexpected character {:?}", first_character(rest())));
    }
    const char c = place->front();
    if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) work_.refuse(fmt::format("unexpected {}", c));
      open.pop_back();
    }
    put(TokenType::symbol, std::string(*place));
    pass(place->size());
  }

  Work& work_;
  std::string source_;
  size_t at_ = 0;
  bool line_starts_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

bool is_python_space(char32_t point) {
  return is_white_space(point) || (point >= 0x1C && point <= 0x1F);
}

size_t leading_python_space(std::string_view text) {
  size_t bytes = 0;
  for (;;) {
    const std::string_view next = first_character(text.substr(bytes));
    if (next.empty() || !is_python_space(code_point(next))) return bytes;
    bytes += next.size();
  }
}

size_t trailing_python_space(std::string_view text) {
  size_t bytes = 0;
  for (;;) {
    const std::string_view next = last_character(text.substr(0, text.size() - bytes));
    if (next.empty() || !is_python_space(code_point(next))) return bytes;
    bytes += next.size();
  }
}

std::vector<Token> tokens_of_template(Work& work, std::string_view source) {
  return Lexer(work, source).run();
}

}  // namespace rlhf::text::jinja
