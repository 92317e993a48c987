/// A template, parsed.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "value.hpp"

namespace rlhf::text::jinja {

enum class Operation : uint8_t {
  constant,       ///< `value`
  name,           ///< `name`
  list,           ///< parts
  tuple,          ///< parts
  mapping,        ///< key, value, key, value, ...
  attribute,      ///< parts[0].name
  item,           ///< parts[0][parts[1]]
  slice,          ///< parts[0][parts[1]:parts[2]:parts[3]]; absent bounds are None
  call,           ///< parts[0](the other parts, named)
  filter,         ///< parts[0] | name(the other parts, named)
  test,           ///< parts[0] is name(the other parts, named)
  negation,       ///< not parts[0]
  both,           ///< parts[0] and parts[1]
  either,         ///< parts[0] or parts[1]
  minus,          ///< -parts[0]
  plus,           ///< +parts[0]
  arithmetic,     ///< parts[0] name parts[1]: + - * / // % **
  concatenation,  ///< the parts as text, end to end
  comparison,     ///< parts[0] names[0] parts[1] names[1] ...: == != < <= > >= in, not in
  conditional,    ///< parts[1] if parts[0] else parts[2], which may be missing
};

struct Expression {
  Operation operation = Operation::constant;
  int line = 1;
  int depth = 1;  ///< of the tree below
  std::string name = {};
  Value value = {};
  std::vector<Expression> parts = {};
  std::vector<std::pair<std::string, Expression>> named = {};
  std::vector<std::string> names = {};
};

enum class Action : uint8_t {
  text,        ///< `name` is the text
  print,       ///< expressions[0]
  branch,      ///< if: expressions[i] decides for bodies[i]; one more body is the else
  loop,        ///< for targets in expressions[0], if expressions[1]: bodies[0]; else bodies[1]
  assign,      ///< set targets = expressions[0]
  capture,     ///< set targets to what bodies[0] prints
  macro,       ///< macro name(targets, the last of them with the defaults `expressions`): bodies[0]
  generation,  ///< bodies[0] is the assistant's
  stop,        ///< break
  next,        ///< continue
};

/// What a set or for gives a value to: a name, or an attribute of a namespace.
struct Target {
  std::string name;
  std::string attribute = {};
};

struct Statement {
  Action action;
  int line = 1;
  std::string name = {};
  std::vector<Target> targets = {};
  bool unpacks = false;  ///< several targets, or one with a comma: the value is taken apart
  std::vector<Expression> expressions = {};
  std::vector<std::vector<Statement>> bodies = {};
};

}  // namespace rlhf::text::jinja
