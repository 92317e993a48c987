/// What a template computes with: Python's values, as far as chat templates need them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "work.hpp"

namespace rlhf::text::jinja {

class Value;
struct Statement;
using List = std::vector<Value>;

/// What a missing name, attribute or item gives: prints as nothing, counts as false, has no parts.
struct Undefined {
  std::string name = {};
};
struct None {};

struct Sequence;
struct Mapping;
struct Namespace;
struct Loop;

/// Something that can be called: a function of this program or a macro of the template.
struct Function {
  std::string_view name;
  const Statement* macro = nullptr;
};

/// Cheap to copy: text and containers are shared, and never change but for namespaces.
class Value {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Held = std::variant<Undefined, None, bool, int64_t, double, Text,
                            std::shared_ptr<const Sequence>, std::shared_ptr<const Mapping>,
                            std::shared_ptr<Namespace>, std::shared_ptr<Loop>, Function>;

  Value() = default;
  Value(Held held) : held_(std::move(held)) {}  // NOLINT: a value is what it holds

  const Held& held() const { return held_; }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(held_);
  }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&held_);
  }

  bool is_undefined() const { return is<Undefined>(); }
  bool is_number() const { return is<int64_t>() || is<double>() || is<bool>(); }
  /// The text, list or mapping held, or none.
  const std::string* text() const;
  const Sequence* sequence() const;
  const Mapping* mapping() const;

 private:
  Held held_;
};

/// Containers know how deep they are: a value too deep would end the stack of whoever walks it.
struct Sequence {
  List items;
  bool is_tuple = false;
  int depth = 1;
};

struct Mapping {
  std::vector<std::pair<std::string, Value>> entries;  // in the order they came
  int depth = 1;

  const Value* find(std::string_view key) const;
};

/// The one thing that a template can change. It holds no other namespace.
struct Namespace {
  std::map<std::string, Value, std::less<>> values;
};

/// What `loop` is within a for.
struct Loop {
  List items;
  size_t index = 0;
  std::optional<List> changed = {};  ///< what loop.changed() was last called with
};

Value text_value(Work& work, std::string text);
Value list_value(Work& work, List items, bool is_tuple = false);
Value mapping_value(Work& work, std::vector<std::pair<std::string, Value>> entries);
Value from_json(Work& work, const nlohmann::ordered_json& json);

bool is_true(const Value& value);
/// Python's ==: 1 == 1.0 == True.
bool are_equal(Work& work, const Value& a, const Value& b);
/// "str", "list", ..., as Python names the type in its messages.
std::string_view type_name(const Value& value);
/// Numbers as Python's float() has them. @throws Error unless it is one
double number(const Work& work, const Value& value);
/// @throws Error unless it is a whole number
int64_t whole_number(const Work& work, const Value& value, std::string_view what);
/// @throws Error unless it is text
const std::string& require_text(const Work& work, const Value& value, std::string_view what);
/// What a for over the value sees: items, keys, characters. @throws Error if it has no parts
List parts_of_value(Work& work, const Value& value);

/// str(value), as {{ value }} prints it.
std::string shown(Work& work, const Value& value);
/// repr(value).
std::string represented(Work& work, const Value& value);

struct JsonStyle {
  std::optional<std::string> indent = {};
  std::string item_separator = ", ", key_separator = ": ";
  bool ensure_ascii = false;
  bool sort_keys = false;
};
/// json.dumps(value).
std::string to_json(Work& work, const Value& value, const JsonStyle& style);

}  // namespace rlhf::text::jinja
