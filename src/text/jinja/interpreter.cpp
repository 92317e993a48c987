#include "interpreter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "calls.hpp"
#include "rlhf/text/vocabulary.hpp"

namespace rlhf::text::jinja {
namespace {

/// Names and their values, within those of another scope.
struct Scope {
  Scope* outer = nullptr;
  std::unordered_map<std::string, Value, StringHash, std::equal_to<>> values = {};

  const Value* find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
      const auto place = scope->values.find(name);
      if (place != scope->values.end()) return &place->second;
    }
    return nullptr;
  }
};

/// How a body was left.
enum class Flow : uint8_t { end, stop, next };

class Interpreter {
 public:
  Interpreter(Work& work, std::optional<std::chrono::sys_seconds> now) : work_(work), now_(now) {
    for (std::string_view name : {"range", "namespace", "dict", "raise_exception"}) {
      top_.values.emplace(name, Value(Function{name}));
    }
    if (now_) top_.values.emplace("strftime_now", Value(Function{"strftime_now"}));
  }

  Output run(const std::vector<Statement>& body,
             std::vector<std::pair<std::string, Value>> variables) {
    for (auto& [name, value] : variables) top_.values.insert_or_assign(name, std::move(value));
    execute(body, top_);
    return {std::move(main_), std::move(generated_)};
  }

 private:
  // --- statements ---

  Flow execute(const std::vector<Statement>& body, Scope& scope) {
    const Deeper level(work_);
    for (const Statement& statement : body) {
      work_.line = statement.line;
      work_.charge(1);
      const Flow flow = execute(statement, scope);
      if (flow != Flow::end) return flow;
    }
    return Flow::end;
  }

  Flow execute(const Statement& statement, Scope& scope) {
    switch (statement.action) {
      case Action::text:
        print(statement.name);
        return Flow::end;
      case Action::print:
        print(shown(work_, evaluate(statement.expressions[0], scope)));
        return Flow::end;
      case Action::branch:
        return branch(statement, scope);
      case Action::loop:
        return loop(statement, scope);
      case Action::assign:
        assign(statement, evaluate(statement.expressions[0], scope), scope);
        return Flow::end;
      case Action::capture:
        assign(statement, text_value(work_, captured(statement.bodies[0], scope)), scope);
        return Flow::end;
      case Action::macro:
        scope.values.insert_or_assign(statement.name, Value(Function{statement.name, &statement}));
        return Flow::end;
      case Action::generation:
        generation(statement, scope);
        return Flow::end;
      case Action::stop:
        return Flow::stop;
      case Action::next:
        return Flow::next;
    }
    return Flow::end;
  }

  void print(std::string_view text) {
    work_.charge_text(text.size());
    *out_ += text;
    work_.require_output(out_->size());
  }

  /// What a body prints, in a scope of its own.
  std::string captured(const std::vector<Statement>& body, Scope& scope) {
    Scope inner{.outer = &scope};
    std::string text;
    std::string* const out = std::exchange(out_, &text);
    try {
      execute(body, inner);
    } catch (...) {
      out_ = out;
      throw;
    }
    out_ = out;
    return text;
  }

  Flow branch(const Statement& statement, Scope& scope) {
    for (size_t i = 0; i < statement.expressions.size(); ++i) {
      if (is_true(evaluate(statement.expressions[i], scope))) {
        return execute(statement.bodies[i], scope);
      }
    }
    const bool has_else = statement.bodies.size() > statement.expressions.size();
    return has_else ? execute(statement.bodies.back(), scope) : Flow::end;
  }

  Flow loop(const Statement& statement, Scope& scope) {
    auto state = std::make_shared<Loop>();
    state->items = parts_of_value(work_, evaluate(statement.expressions[0], scope));
    if (statement.expressions.size() > 1) keep_wanted(statement, state->items, scope);
    for (; state->index < state->items.size(); ++state->index) {
      work_.charge(1);
      Scope inner{.outer = &scope};
      inner.values.emplace("loop", Value(state));
      assign(statement, state->items[state->index], inner);
      if (execute(statement.bodies[0], inner) == Flow::stop) break;
    }
    if (!state->items.empty() || statement.bodies.size() < 2) return Flow::end;
    Scope inner{.outer = &scope};
    return execute(statement.bodies[1], inner);
  }

  /// The `if` of a for.
  void keep_wanted(const Statement& statement, List& items, Scope& scope) {
    List kept;
    for (Value& item : items) {
      Scope inner{.outer = &scope};
      assign(statement, item, inner);
      if (is_true(evaluate(statement.expressions[1], inner))) kept.push_back(std::move(item));
    }
    items = std::move(kept);
  }

  void assign(const Statement& statement, const Value& value, Scope& scope) {
    if (!statement.unpacks) return assign(statement.targets[0], value, scope);
    const List parts = parts_of_value(work_, value);
    if (parts.size() != statement.targets.size()) {
      work_.refuse(fmt::format("{} values for {} names", parts.size(), statement.targets.size()));
    }
    for (size_t i = 0; i < parts.size(); ++i) assign(statement.targets[i], parts[i], scope);
  }

  void assign(const Target& target, const Value& value, Scope& scope) {
    if (target.attribute.empty()) {
      scope.values.insert_or_assign(target.name, value);
      return;
    }
    const Value* names = scope.find(target.name);
    const auto* held = names == nullptr ? nullptr : names->get_if<std::shared_ptr<Namespace>>();
    if (held == nullptr) work_.refuse(fmt::format("'{}' is no namespace", target.name));
    list_value(work_, {value});  // refuses what may be in no container
    (*held)->values.insert_or_assign(target.attribute, value);
  }

  void generation(const Statement& statement, Scope& scope) {
    if (out_ != &main_) work_.refuse("{% generation %} within a macro or a set");
    const size_t start = main_.size();
    Scope inner{.outer = &scope};
    execute(statement.bodies[0], inner);
    generated_.emplace_back(start, main_.size());
  }

  // --- expressions ---

  Value evaluate(const Expression& expression, Scope& scope) {
    const Deeper level(work_);
    work_.line = expression.line;
    work_.charge(1);
    const auto part = [&](size_t i) { return evaluate(expression.parts[i], scope); };
    switch (expression.operation) {
      case Operation::constant:
        return expression.value;
      case Operation::name: {
        const Value* found = scope.find(expression.name);
        return found != nullptr ? *found : Value(Undefined{expression.name});
      }
      case Operation::list:
      case Operation::tuple:
        return list_value(work_, all_parts(expression, 0, scope),
                          expression.operation == Operation::tuple);
      case Operation::mapping:
        return mapping(expression, scope);
      case Operation::attribute:
        return attribute_of(work_, part(0), expression.name);
      case Operation::item: {
        const Value value = part(0);
        return item_of(work_, value, part(1));
      }
      case Operation::slice: {
        const Value value = part(0), start = part(1), stop = part(2);
        return slice_of(work_, value, start, stop, part(3));
      }
      case Operation::call:
        return call(expression, scope);
      case Operation::filter: {
        const Value value = part(0);
        return apply_filter(work_, expression.name, value, arguments(expression, scope));
      }
      case Operation::test: {
        const Value value = part(0);
        return Value(apply_test(work_, expression.name, value, arguments(expression, scope)));
      }
      case Operation::negation:
        return Value(!is_true(part(0)));
      case Operation::both: {
        Value left = part(0);
        return is_true(left) ? part(1) : left;
      }
      case Operation::either: {
        Value left = part(0);
        return is_true(left) ? left : part(1);
      }
      case Operation::minus:
        return negated(part(0));
      case Operation::plus:
        return arithmetic(work_, "+", Value(int64_t{0}), part(0));
      case Operation::arithmetic: {
        const Value left = part(0);
        return arithmetic(work_, expression.name, left, part(1));
      }
      case Operation::concatenation: {
        std::string text;
        for (const Value& value : all_parts(expression, 0, scope)) text += shown(work_, value);
        return text_value(work_, std::move(text));
      }
      case Operation::comparison:
        return Value(comparison(expression, scope));
      case Operation::conditional:
        if (is_true(part(0))) return part(1);
        return expression.parts.size() > 2 ? part(2) : Value(Undefined{"the missing else"});
    }
    return Value();
  }

  Value negated(const Value& value) {
    const double* real = value.get_if<double>();
    return real != nullptr ? Value(-*real) : arithmetic(work_, "-", Value(int64_t{0}), value);
  }

  List all_parts(const Expression& expression, size_t from, Scope& scope) {
    List values;
    for (size_t i = from; i < expression.parts.size(); ++i) {
      values.push_back(evaluate(expression.parts[i], scope));
    }
    return values;
  }

  Arguments arguments(const Expression& expression, Scope& scope) {
    Arguments given{.positional = all_parts(expression, 1, scope)};
    for (const auto& [name, value] : expression.named) {
      given.named.emplace_back(name, evaluate(value, scope));
    }
    return given;
  }

  Value mapping(const Expression& expression, Scope& scope) {
    std::vector<std::pair<std::string, Value>> entries;
    for (size_t i = 0; i < expression.parts.size(); i += 2) {
      const Value key = evaluate(expression.parts[i], scope);
      put_entry(work_, entries, require_text(work_, key, "key of a dict"),
                evaluate(expression.parts[i + 1], scope));
    }
    return mapping_value(work_, std::move(entries));
  }

  bool comparison(const Expression& expression, Scope& scope) {
    Value left = evaluate(expression.parts[0], scope);
    for (size_t i = 0; i < expression.names.size(); ++i) {
      Value right = evaluate(expression.parts[i + 1], scope);
      if (!compare(work_, expression.names[i], left, right)) return false;
      left = std::move(right);
    }
    return true;
  }

  // --- calls ---

  Value call(const Expression& expression, Scope& scope) {
    const Expression& callee = expression.parts[0];
    if (callee.operation == Operation::attribute) {
      const Value owner = evaluate(callee.parts[0], scope);
      const auto* names = owner.get_if<std::shared_ptr<Namespace>>();
      if (names == nullptr) {
        return call_method(work_, owner, callee.name, arguments(expression, scope));
      }
    }
    const Value value = evaluate(callee, scope);
    const Function* function = value.get_if<Function>();
    if (function == nullptr) {
      const Undefined* missing = value.get_if<Undefined>();
      work_.refuse(missing != nullptr ? fmt::format("'{}' is undefined", missing->name)
                                      : fmt::format("{} is no function", type_name(value)));
    }
    const Arguments given = arguments(expression, scope);
    return function->macro != nullptr ? call_macro(*function->macro, given)
                                      : call_function(work_, function->name, given, now_);
  }

  /// The macro sees its arguments and the names of the whole template.
  Value call_macro(const Statement& macro, const Arguments& given) {
    const Deeper level(work_);
    Scope scope{.outer = &top_};
    if (given.positional.size() > macro.targets.size()) {
      work_.refuse(fmt::format("{}: {} arguments, at most {}", macro.name, given.positional.size(),
                               macro.targets.size()));
    }
    for (size_t i = 0; i < given.positional.size(); ++i) {
      scope.values.insert_or_assign(macro.targets[i].name, given.positional[i]);
    }
    for (const auto& [name, value] : given.named) {
      const auto is_it = [&](const Target& target) { return target.name == name; };
      if (std::none_of(macro.targets.begin(), macro.targets.end(), is_it)) {
        work_.refuse(fmt::format("{}: no argument is called '{}'", macro.name, name));
      }
      scope.values.insert_or_assign(name, value);
    }
    const size_t first_default = macro.targets.size() - macro.expressions.size();
    for (size_t i = 0; i < macro.targets.size(); ++i) {
      if (scope.values.contains(macro.targets[i].name)) continue;
      scope.values.insert_or_assign(macro.targets[i].name,
                                    i < first_default
                                        ? Value(Undefined{macro.targets[i].name})
                                        : evaluate(macro.expressions[i - first_default], scope));
    }
    return text_value(work_, captured(macro.bodies[0], scope));
  }

  Work& work_;
  std::optional<std::chrono::sys_seconds> now_;
  Scope top_;
  std::string main_;
  std::string* out_ = &main_;
  std::vector<std::pair<size_t, size_t>> generated_;
};

}  // namespace

Output run_template(Work& work, const std::vector<Statement>& body,
                    std::vector<std::pair<std::string, Value>> variables,
                    std::optional<std::chrono::sys_seconds> now) {
  return Interpreter(work, now).run(body, std::move(variables));
}

}  // namespace rlhf::text::jinja
