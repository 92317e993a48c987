#include <fmt/format.h>

#include <algorithm>

#include "parser.hpp"

namespace rlhf::text::jinja {
namespace {

using Body = std::vector<Statement>;

class StatementParser {
 public:
  explicit StatementParser(TokenStream& tokens) : tokens_(tokens), expressions_(tokens) {}

  Body whole() {
    Body body = statements({});
    if (tokens_.current().type != TokenType::end) tokens_.refuse_current("the end");
    return body;
  }

 private:
  /// Statements up to a block of one of these names, of which "{%" and the name are taken; which
  /// one that was is in end_.
  Body statements(std::initializer_list<std::string_view> ends) {
    const Deeper level(tokens_.work());
    if (++depth_ > deepest_syntax) tokens_.work().refuse("blocks nested too deep");
    const int opened = tokens_.work().line;
    Body body;
    for (;;) {
      const TokenType type = tokens_.current().type;
      if (type == TokenType::end) break;
      if (type == TokenType::text) {
        body.push_back(make(Action::text, tokens_.take().text));
      } else if (type == TokenType::print_begin) {
        tokens_.take();
        Statement print = make(Action::print);
        print.expressions.push_back(expressions_.expressions());
        tokens_.expect(TokenType::print_end);
        body.push_back(std::move(print));
      } else {
        tokens_.expect(TokenType::block_begin);
        const std::string name = tokens_.expect(TokenType::name).text;
        if (std::find(ends.begin(), ends.end(), name) != ends.end()) {
          end_ = name;
          --depth_;
          return body;
        }
        body.push_back(block(name));
      }
    }
    --depth_;
    if (ends.size() > 0) {
      tokens_.work().line = opened;
      tokens_.work().refuse(fmt::format("a block without its {{% {} %}}", *(ends.end() - 1)));
    }
    return body;
  }

  Statement make(Action action, std::string name = {}) {
    tokens_.work().charge(1);
    return {.action = action, .line = tokens_.work().line, .name = std::move(name)};
  }

  void end_of_tag() { tokens_.expect(TokenType::block_end); }

  Statement block(const std::string& name) {
    if (name == "if") return branch();
    if (name == "for") return loop();
    if (name == "set") return assignment();
    if (name == "macro") return macro();
    if (name == "generation") return generation();
    if (name == "break" || name == "continue") {
      if (loops_ == 0) tokens_.work().refuse(fmt::format("{} outside of a for", name));
      Statement made = make(name == "break" ? Action::stop : Action::next);
      end_of_tag();
      return made;
    }
    tokens_.work().refuse(
        fmt::format("{{% {} %}} is none of if, for, set, macro, generation, "
                    "break, continue and raw, which this program knows",
                    name));
  }

  Statement branch() {
    Statement made = make(Action::branch);
    for (;;) {
      made.expressions.push_back(expressions_.expressions());
      end_of_tag();
      made.bodies.push_back(statements({"elif", "else", "endif"}));
      if (end_ != "elif") break;
    }
    if (end_ == "else") {
      end_of_tag();
      made.bodies.push_back(statements({"endif"}));
    }
    end_of_tag();
    return made;
  }

  Statement loop() {
    Statement made = make(Action::loop);
    targets(made);
    tokens_.expect(TokenType::name, "in");
    made.expressions.push_back(expressions_.expressions(false));
    if (tokens_.take_if(TokenType::name, "if")) {
      made.expressions.push_back(expressions_.expression());
    }
    if (tokens_.at_name("recursive")) tokens_.refuse_current("a for that is not recursive");
    end_of_tag();
    ++loops_;
    made.bodies.push_back(statements({"else", "endfor"}));
    --loops_;
    if (end_ == "else") {
      end_of_tag();
      made.bodies.push_back(statements({"endfor"}));
    }
    end_of_tag();
    return made;
  }

  /// a, b or (a, b) or a.b
  void targets(Statement& made) {
    const bool brackets = tokens_.take_if(TokenType::symbol, "(");
    made.unpacks = false;
    for (;;) {
      Target target{.name = tokens_.expect(TokenType::name).text};
      if (tokens_.take_if(TokenType::symbol, ".")) {
        target.attribute = tokens_.expect(TokenType::name).text;
      }
      made.targets.push_back(std::move(target));
      if (!tokens_.take_if(TokenType::symbol, ",")) break;
      made.unpacks = true;
      if (tokens_.current().type != TokenType::name || tokens_.at_name("in")) break;
    }
    if (brackets) tokens_.expect(TokenType::symbol, ")");
  }

  Statement assignment() {
    Statement made = make(Action::assign);
    targets(made);
    if (tokens_.take_if(TokenType::symbol, "=")) {
      made.expressions.push_back(expressions_.expressions());
      end_of_tag();
      return made;
    }
    made.action = Action::capture;
    if (made.targets.size() > 1) tokens_.refuse_current("=");
    end_of_tag();
    made.bodies.push_back(outside_loops("endset"));
    end_of_tag();
    return made;
  }

  Statement macro() {
    Statement made = make(Action::macro, tokens_.expect(TokenType::name).text);
    tokens_.expect(TokenType::symbol, "(");
    while (!tokens_.at_symbol(")")) {
      made.targets.push_back({.name = tokens_.expect(TokenType::name).text});
      if (tokens_.take_if(TokenType::symbol, "=")) {
        made.expressions.push_back(expressions_.expression());
      } else if (!made.expressions.empty()) {
        tokens_.refuse_current("a default, as the argument before has one");
      }
      if (!tokens_.take_if(TokenType::symbol, ",")) break;
    }
    tokens_.expect(TokenType::symbol, ")");
    end_of_tag();
    made.bodies.push_back(outside_loops("endmacro"));
    end_of_tag();
    return made;
  }

  Statement generation() {
    Statement made = make(Action::generation);
    end_of_tag();
    made.bodies.push_back(outside_loops("endgeneration"));
    end_of_tag();
    return made;
  }

  /// A body that a break of a for around it cannot leave.
  Body outside_loops(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Body body = statements({end});
    loops_ = loops;
    return body;
  }

  TokenStream& tokens_;
  ExpressionParser expressions_;
  std::string end_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

std::vector<Statement> parse_template(Work& work, std::string_view source) {
  if (source.size() > largest_source) {
    work.refuse(fmt::format("it has {} bytes, more than {}", source.size(), largest_source));
  }
  TokenStream tokens(work, tokens_of_template(work, source));
  return StatementParser(tokens).whole();
}

}  // namespace rlhf::text::jinja
