/// Tokens to syntax.
#pragma once

#include "lexer.hpp"
#include "syntax.hpp"

namespace rlhf::text::jinja {

/// The tokens of a template, from the first to the last.
class TokenStream {
 public:
  TokenStream(Work& work, std::vector<Token> tokens) : work_(work), tokens_(std::move(tokens)) {}

  Work& work() { return work_; }
  const Token& current() const { return tokens_[at_]; }
  const Token& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take() {
    work_.line = current().line;
    const Token& token = tokens_[at_];
    if (token.type != TokenType::end) ++at_;
    return token;
  }
  bool at_name(std::string_view name) const { return current().is(TokenType::name, name); }
  bool at_symbol(std::string_view symbol) const { return current().is(TokenType::symbol, symbol); }
  bool take_if(TokenType type, std::string_view text);
  Token expect(TokenType type, std::string_view text = {});
  [[noreturn]] void refuse_current(std::string_view expected);

 private:
  Work& work_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

/// Expressions, in the order in which Jinja binds: conditional, or, and, not, comparison, sum,
/// concatenation, product, power, sign, then attributes, items, calls, filters and tests.
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

  Expression expression();
  /// Without the conditional, whose `if` belongs to a for.
  Expression plain_expression() { return either(); }
  /// One expression, or a tuple of several with commas between.
  Expression expressions(bool conditionals = true);

 private:
  Expression either();
  Expression both();
  Expression negation();
  Expression comparison();
  Expression sum();
  Expression concatenation();
  Expression product();
  Expression power();
  Expression sign(bool filters = true);
  Expression primary();
  Expression bracketed(std::string_view end, Operation operation);
  Expression parenthesised();
  Expression postfix(Expression inner);
  Expression filters_and_tests(Expression inner);
  Expression attribute(Expression inner);
  Expression subscript(Expression inner);
  Expression filter(Expression inner);
  Expression test(Expression inner);
  void arguments(Expression& call);
  /// Left-associative operators of one level.
  template <class Next>
  Expression left_to_right(std::initializer_list<std::string_view> symbols, Next&& next);

  Expression make(Operation operation, std::vector<Expression> parts, std::string name = {});

  TokenStream& tokens_;
};

/// @throws Error naming the line and what stands there
std::vector<Statement> parse_template(Work& work, std::string_view source);

}  // namespace rlhf::text::jinja
