#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "parser.hpp"

namespace rlhf::text::jinja {

bool TokenStream::take_if(TokenType type, std::string_view text) {
  if (!current().is(type, text)) return false;
  take();
  return true;
}

Token TokenStream::expect(TokenType type, std::string_view text) {
  static constexpr std::string_view kinds[] = {
      "text", "{{", "}}", "{%", "%}", "a name", "string", "number", "number", "symbol", "the end"};
  if (current().type != type || (!text.empty() && current().text != text)) {
    refuse_current(text.empty() ? kinds[static_cast<size_t>(type)] : text);
  }
  return take();
}

void TokenStream::refuse_current(std::string_view expected) {
  work_.line = current().line;
  work_.refuse(fmt::format("expected {}, got {:?}", expected, current().text.substr(0, 40)));
}

Expression ExpressionParser::make(Operation operation, std::vector<Expression> parts,
                                  std::string name) {
  Work& work = tokens_.work();
  work.charge(1);
  Expression made{.operation = operation, .line = work.line, .name = std::move(name)};
  for (const Expression& part : parts) made.depth = std::max(made.depth, part.depth + 1);
  if (made.depth > deepest_syntax) work.refuse("an expression nested too deep");
  made.parts = std::move(parts);
  return made;
}

template <class Next>
Expression ExpressionParser::left_to_right(std::initializer_list<std::string_view> symbols,
                                           Next&& next) {
  Expression left = next();
  while (tokens_.current().type == TokenType::symbol &&
         std::find(symbols.begin(), symbols.end(), tokens_.current().text) != symbols.end()) {
    std::string symbol = tokens_.take().text;
    std::vector<Expression> parts;
    parts.push_back(std::move(left));
    parts.push_back(next());
    left = make(Operation::arithmetic, std::move(parts), std::move(symbol));
  }
  return left;
}

namespace {

std::vector<Expression> pair_of(Expression a, Expression b) {
  std::vector<Expression> parts;
  parts.push_back(std::move(a));
  parts.push_back(std::move(b));
  return parts;
}

std::vector<Expression> one(Expression a) {
  std::vector<Expression> parts;
  parts.push_back(std::move(a));
  return parts;
}

}  // namespace

Expression ExpressionParser::expression() {
  const Deeper level(tokens_.work());
  Expression value = either();
  while (tokens_.take_if(TokenType::name, "if")) {
    std::vector<Expression> parts = pair_of(either(), std::move(value));
    if (tokens_.take_if(TokenType::name, "else")) parts.push_back(expression());
    value = make(Operation::conditional, std::move(parts));
  }
  return value;
}

Expression ExpressionParser::expressions(bool conditionals) {
  const auto next = [&] { return conditionals ? expression() : plain_expression(); };
  Expression first = next();
  if (!tokens_.at_symbol(",")) return first;
  std::vector<Expression> parts = one(std::move(first));
  while (tokens_.take_if(TokenType::symbol, ",")) {
    const TokenType type = tokens_.current().type;
    if (type == TokenType::print_end || type == TokenType::block_end) break;
    parts.push_back(next());
  }
  return make(Operation::tuple, std::move(parts));
}

Expression ExpressionParser::either() {
  Expression left = both();
  while (tokens_.take_if(TokenType::name, "or")) {
    left = make(Operation::either, pair_of(std::move(left), both()));
  }
  return left;
}

Expression ExpressionParser::both() {
  Expression left = negation();
  while (tokens_.take_if(TokenType::name, "and")) {
    left = make(Operation::both, pair_of(std::move(left), negation()));
  }
  return left;
}

Expression ExpressionParser::negation() {
  const Deeper level(tokens_.work());
  if (tokens_.take_if(TokenType::name, "not")) return make(Operation::negation, one(negation()));
  return comparison();
}

Expression ExpressionParser::comparison() {
  static constexpr std::string_view symbols[] = {"==", "!=", "<", "<=", ">", ">="};
  std::vector<Expression> parts = one(sum());
  std::vector<std::string> names;
  for (;;) {
    const Token& token = tokens_.current();
    const bool compares =
        token.type == TokenType::symbol &&
        std::find(std::begin(symbols), std::end(symbols), token.text) != std::end(symbols);
    if (compares || tokens_.at_name("in")) {
      names.push_back(tokens_.take().text);
    } else if (tokens_.at_name("not") && tokens_.following().is(TokenType::name, "in")) {
      tokens_.take();
      tokens_.take();
      names.emplace_back("not in");
    } else {
      break;
    }
    parts.push_back(sum());
  }
  if (names.empty()) return std::move(parts.front());
  Expression made = make(Operation::comparison, std::move(parts));
  made.names = std::move(names);
  return made;
}

Expression ExpressionParser::sum() {
  return left_to_right({"+", "-"}, [&] { return concatenation(); });
}

Expression ExpressionParser::concatenation() {
  std::vector<Expression> parts = one(product());
  while (tokens_.take_if(TokenType::symbol, "~")) parts.push_back(product());
  if (parts.size() == 1) return std::move(parts.front());
  return make(Operation::concatenation, std::move(parts));
}

Expression ExpressionParser::product() {
  return left_to_right({"*", "/", "//", "%"}, [&] { return power(); });
}

Expression ExpressionParser::power() {
  return left_to_right({"**"}, [&] { return sign(); });
}

Expression ExpressionParser::sign(bool filters) {
  const Deeper level(tokens_.work());
  Expression inner;
  if (tokens_.take_if(TokenType::symbol, "-")) {
    inner = make(Operation::minus, one(sign(false)));
  } else if (tokens_.take_if(TokenType::symbol, "+")) {
    inner = make(Operation::plus, one(sign(false)));
  } else {
    inner = primary();
  }
  inner = postfix(std::move(inner));
  return filters ? filters_and_tests(std::move(inner)) : std::move(inner);
}

Expression ExpressionParser::primary() {
  const Token token = tokens_.current();
  Work& work = tokens_.work();
  const auto constant = [&](Value value) {
    Expression made = make(Operation::constant, {});
    made.value = std::move(value);
    return made;
  };
  switch (token.type) {
    case TokenType::name:
      tokens_.take();
      if (token.text == "true" || token.text == "True") return constant(Value(true));
      if (token.text == "false" || token.text == "False") return constant(Value(false));
      if (token.text == "none" || token.text == "None") return constant(Value(None{}));
      return make(Operation::name, {}, token.text);
    case TokenType::string: {
      std::string joined;
      while (tokens_.current().type == TokenType::string) joined += tokens_.take().text;
      return constant(text_value(work, std::move(joined)));
    }
    case TokenType::whole: {
      tokens_.take();
      int64_t value = 0;
      const auto [end, error] =
          std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      if (error != std::errc()) work.refuse(fmt::format("the number {} is too large", token.text));
      return constant(Value(value));
    }
    case TokenType::real: {
      tokens_.take();
      double value = 0;
      const auto [end, error] =
          std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      if (error != std::errc()) work.refuse(fmt::format("the number {} is too large", token.text));
      return constant(Value(value));
    }
    default:
      if (tokens_.take_if(TokenType::symbol, "(")) return parenthesised();
      if (tokens_.take_if(TokenType::symbol, "[")) return bracketed("]", Operation::list);
      if (tokens_.take_if(TokenType::symbol, "{")) return bracketed("}", Operation::mapping);
      tokens_.refuse_current("an expression");
  }
}

/// [a, b] or {a: b}, behind the opening bracket.
Expression ExpressionParser::bracketed(std::string_view end, Operation operation) {
  std::vector<Expression> parts;
  while (!tokens_.at_symbol(end)) {
    if (!parts.empty()) tokens_.expect(TokenType::symbol, ",");
    if (tokens_.at_symbol(end)) break;
    parts.push_back(expression());
    if (operation != Operation::mapping) continue;
    tokens_.expect(TokenType::symbol, ":");
    parts.push_back(expression());
  }
  tokens_.take();
  return make(operation, std::move(parts));
}

/// (a) or (a, b), behind the opening bracket.
Expression ExpressionParser::parenthesised() {
  std::vector<Expression> parts;
  bool is_tuple = tokens_.at_symbol(")");
  while (!tokens_.at_symbol(")")) {
    parts.push_back(expression());
    if (!tokens_.take_if(TokenType::symbol, ",")) break;
    is_tuple = true;
  }
  tokens_.expect(TokenType::symbol, ")");
  if (!is_tuple) return std::move(parts.front());
  return make(Operation::tuple, std::move(parts));
}

Expression ExpressionParser::postfix(Expression inner) {
  for (;;) {
    if (tokens_.take_if(TokenType::symbol, ".")) {
      inner = attribute(std::move(inner));
    } else if (tokens_.take_if(TokenType::symbol, "[")) {
      inner = subscript(std::move(inner));
    } else if (tokens_.at_symbol("(")) {
      inner = make(Operation::call, one(std::move(inner)));
      arguments(inner);
    } else {
      return inner;
    }
  }
}

Expression ExpressionParser::attribute(Expression inner) {
  if (tokens_.current().type == TokenType::whole) {
    return make(Operation::item, pair_of(std::move(inner), primary()));
  }
  return make(Operation::attribute, one(std::move(inner)), tokens_.expect(TokenType::name).text);
}

Expression ExpressionParser::subscript(Expression inner) {
  const auto none = [&] {
    Expression made = make(Operation::constant, {});
    made.value = Value(None{});
    return made;
  };
  const auto bound = [&] {
    return tokens_.at_symbol(":") || tokens_.at_symbol("]") ? none() : expression();
  };
  if (tokens_.at_symbol("]")) tokens_.refuse_current("an expression");
  std::vector<Expression> parts = pair_of(std::move(inner), bound());
  if (!tokens_.at_symbol(":")) {
    tokens_.expect(TokenType::symbol, "]");
    return make(Operation::item, std::move(parts));
  }
  for (int i = 0; i < 2; ++i) {
    parts.push_back(tokens_.take_if(TokenType::symbol, ":") ? bound() : none());
  }
  tokens_.expect(TokenType::symbol, "]");
  return make(Operation::slice, std::move(parts));
}

/// Appends what stands in the brackets of a call to its parts.
void ExpressionParser::arguments(Expression& call) {
  const Deeper level(tokens_.work());
  tokens_.expect(TokenType::symbol, "(");
  while (!tokens_.at_symbol(")")) {
    if (tokens_.at_symbol("*") || tokens_.at_symbol("**")) {
      tokens_.refuse_current("arguments one by one");
    }
    if (tokens_.current().type == TokenType::name &&
        tokens_.following().is(TokenType::symbol, "=")) {
      std::string name = tokens_.take().text;
      tokens_.take();
      call.named.emplace_back(std::move(name), expression());
      call.depth = std::max(call.depth, call.named.back().second.depth + 1);
    } else {
      if (!call.named.empty()) tokens_.refuse_current("a named argument after a named one");
      call.parts.push_back(expression());
      call.depth = std::max(call.depth, call.parts.back().depth + 1);
    }
    if (!tokens_.take_if(TokenType::symbol, ",")) break;
  }
  tokens_.expect(TokenType::symbol, ")");
  if (call.depth > deepest_syntax) tokens_.work().refuse("an expression nested too deep");
}

Expression ExpressionParser::filters_and_tests(Expression inner) {
  for (;;) {
    if (tokens_.take_if(TokenType::symbol, "|")) {
      inner = filter(std::move(inner));
    } else if (tokens_.take_if(TokenType::name, "is")) {
      inner = test(std::move(inner));
    } else if (tokens_.at_symbol("(")) {
      inner = make(Operation::call, one(std::move(inner)));
      arguments(inner);
    } else {
      return inner;
    }
  }
}

Expression ExpressionParser::filter(Expression inner) {
  std::string name = tokens_.expect(TokenType::name).text;
  while (tokens_.take_if(TokenType::symbol, ".")) {
    name += '.' + tokens_.expect(TokenType::name).text;  // no filter of ours has such a name
  }
  Expression made = make(Operation::filter, one(std::move(inner)), std::move(name));
  if (tokens_.at_symbol("(")) arguments(made);
  return made;
}

Expression ExpressionParser::test(Expression inner) {
  const bool negated = tokens_.take_if(TokenType::name, "not");
  Expression made =
      make(Operation::test, one(std::move(inner)), tokens_.expect(TokenType::name).text);
  const Token& next = tokens_.current();
  if (tokens_.at_name("is")) tokens_.refuse_current("one test after `is`");
  const bool is_word = next.type == TokenType::name && next.text != "else" && next.text != "or" &&
                       next.text != "and";
  if (tokens_.at_symbol("(")) {
    arguments(made);
  } else if (is_word || next.type == TokenType::string || next.type == TokenType::whole ||
             next.type == TokenType::real || tokens_.at_symbol("[") || tokens_.at_symbol("{")) {
    // "x is divisibleby 3": one argument needs no brackets.
    made.parts.push_back(postfix(primary()));
    made.depth = std::max(made.depth, made.parts.back().depth + 1);
  }
  if (!negated) return made;
  return make(Operation::negation, one(std::move(made)));
}

}  // namespace rlhf::text::jinja
