// Arithmetic, order, items and slices, as Python has them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../characters.hpp"
#include "calls.hpp"

namespace rlhf::text::jinja {
namespace {

[[noreturn]] void refuse_operands(const Work& work, std::string_view symbol, const Value& a,
                                  const Value& b) {
  for (const Value* value : {&a, &b}) {
    const Undefined* missing = value->get_if<Undefined>();
    if (missing != nullptr) work.refuse(fmt::format("'{}' is undefined", missing->name));
  }
  work.refuse(fmt::format("{} {} {} has no meaning", type_name(a), symbol, type_name(b)));
}

Value repeated(Work& work, const Value& value, int64_t times) {
  const auto count = static_cast<size_t>(std::max<int64_t>(times, 0));
  if (const std::string* text = value.text()) {
    if (count > 0 && text->size() > SIZE_MAX / 2 / count) work.refuse("a text too long");
    work.require_output(text->size() * count);
    work.charge(1 + (text->empty() ? 0 : count));
    std::string all;
    for (size_t i = 0; i < count && !text->empty(); ++i) all += *text;
    return text_value(work, std::move(all));
  }
  const Sequence& sequence = *value.sequence();
  List items;
  for (size_t i = 0; i < count && !sequence.items.empty(); ++i) {
    work.charge(1 + sequence.items.size());
    items.insert(items.end(), sequence.items.begin(), sequence.items.end());
  }
  return list_value(work, std::move(items), sequence.is_tuple);
}

int64_t power(const Work& work, int64_t base, int64_t exponent) {
  if (exponent == 0 || base == 1) return 1;
  if (base == 0) return 0;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) {  // at most 63 times before it is too large
    if (__builtin_mul_overflow(result, base, &result)) work.refuse("a number too large");
  }
  return result;
}

Value whole_arithmetic(const Work& work, char symbol, bool doubled, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if (symbol == '+') overflow = __builtin_add_overflow(a, b, &result);
  if (symbol == '-') overflow = __builtin_sub_overflow(a, b, &result);
  if (symbol == '*' && !doubled) overflow = __builtin_mul_overflow(a, b, &result);
  if (symbol == '*' && doubled) {
    if (b < 0) return Value(std::pow(static_cast<double>(a), static_cast<double>(b)));
    result = power(work, a, b);
  }
  if (symbol == '/' || symbol == '%') {
    if (b == 0) work.refuse("division by zero");
    if (symbol == '/' && !doubled) return Value(static_cast<double>(a) / static_cast<double>(b));
    overflow = b == -1 && a == std::numeric_limits<int64_t>::min();
    if (!overflow) {
      // Python rounds down, and a remainder has the sign of the divisor.
      const int64_t quotient = a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
      result = symbol == '/' ? quotient : a - quotient * b;
    }
  }
  if (overflow) work.refuse("a number too large");
  return Value(result);
}

double real_arithmetic(const Work& work, char symbol, bool doubled, double a, double b) {
  if (symbol == '+') return a + b;
  if (symbol == '-') return a - b;
  if (symbol == '*') return doubled ? std::pow(a, b) : a * b;
  if (b == 0) work.refuse("division by zero");
  if (symbol == '/') return doubled ? std::floor(a / b) : a / b;
  const double remainder = std::fmod(a, b);
  if (remainder == 0) return std::copysign(0.0, b);
  return (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

std::vector<std::string_view> characters_of(Work& work, std::string_view text) {
  work.charge(1 + text.size() / 4);
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    characters.push_back(first_character(text));
    text.remove_prefix(characters.back().size());
  }
  return characters;
}

/// The element at a place, counted from the end where that is negative; none past the ends.
template <class T>
const T* element(const std::vector<T>& elements, int64_t place) {
  const auto size = static_cast<int64_t>(elements.size());
  if (place < 0) place += size;
  return place < 0 || place >= size ? nullptr : &elements[static_cast<size_t>(place)];
}

/// A bound of a slice: the place in 0 .. size (or -1 .. size-1 where the step is negative).
int64_t slice_bound(const Work& work, const Value& bound, int64_t size, int64_t step,
                    int64_t otherwise) {
  if (bound.is<None>()) return otherwise;
  int64_t place = whole_number(work, bound, "bound of a slice");
  if (place < 0) place = place < -size ? -1 : place + size;
  return step > 0 ? std::clamp<int64_t>(place, 0, size) : std::clamp<int64_t>(place, -1, size - 1);
}

}  // namespace

Value arithmetic(Work& work, std::string_view symbol, const Value& a, const Value& b) {
  const char first = symbol.front();
  const bool doubled = symbol.size() == 2;
  if (a.is_number() && b.is_number()) {
    if (a.is<double>() || b.is<double>()) {
      return Value(real_arithmetic(work, first, doubled, number(work, a), number(work, b)));
    }
    return whole_arithmetic(work, first, doubled, whole_number(work, a, symbol),
                            whole_number(work, b, symbol));
  }
  if (symbol == "+" && a.text() != nullptr && b.text() != nullptr) {
    return text_value(work, *a.text() + *b.text());
  }
  if (symbol == "+" && a.sequence() != nullptr && b.sequence() != nullptr &&
      a.sequence()->is_tuple == b.sequence()->is_tuple) {
    List items = a.sequence()->items;
    items.insert(items.end(), b.sequence()->items.begin(), b.sequence()->items.end());
    return list_value(work, std::move(items), a.sequence()->is_tuple);
  }
  const auto is_parts = [](const Value& value) {
    return value.text() != nullptr || value.sequence() != nullptr;
  };
  if (symbol == "*" && is_parts(a) && b.is<int64_t>())
    return repeated(work, a, *b.get_if<int64_t>());
  if (symbol == "*" && is_parts(b) && a.is<int64_t>())
    return repeated(work, b, *a.get_if<int64_t>());
  if (symbol == "%" && a.text() != nullptr) work.refuse("text % values: join text with ~ instead");
  refuse_operands(work, symbol, a, b);
}

int order(Work& work, const Value& a, const Value& b) {
  work.charge(1);
  const auto of = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (a.is<int64_t>() && b.is<int64_t>()) return of(*a.get_if<int64_t>(), *b.get_if<int64_t>());
  if (a.is_number() && b.is_number()) return of(number(work, a), number(work, b));
  if (a.text() != nullptr && b.text() != nullptr) {
    work.charge_text(a.text()->size());
    return of(*a.text(), *b.text());
  }
  if (a.sequence() != nullptr && b.sequence() != nullptr) {
    const List &x = a.sequence()->items, &y = b.sequence()->items;
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (!are_equal(work, x[i], y[i])) return order(work, x[i], y[i]);
    }
    return of(x.size(), y.size());
  }
  refuse_operands(work, "<", a, b);
}

bool compare(Work& work, std::string_view symbol, const Value& a, const Value& b) {
  if (symbol == "==") return are_equal(work, a, b);
  if (symbol == "!=") return !are_equal(work, a, b);
  if (symbol == "not in") return !compare(work, "in", a, b);
  if (symbol == "in") {
    if (const std::string* text = b.text()) {
      work.charge_text(text->size());
      if (a.text() == nullptr) refuse_operands(work, symbol, a, b);
      return text->find(*a.text()) != text->npos;
    }
    if (const Mapping* mapping = b.mapping()) {
      work.charge(1 + mapping->entries.size() / 8);
      return a.text() != nullptr && mapping->find(*a.text()) != nullptr;
    }
    if (!b.is_undefined() && b.sequence() == nullptr) refuse_operands(work, symbol, a, b);
    const List parts = parts_of_value(work, b);
    return std::any_of(parts.begin(), parts.end(),
                       [&](const Value& part) { return are_equal(work, a, part); });
  }
  const int sign = order(work, a, b);
  return symbol == "<"    ? sign < 0
         : symbol == "<=" ? sign <= 0
         : symbol == ">"  ? sign > 0
                          : sign >= 0;
}

Value item_of(Work& work, const Value& value, const Value& key) {
  if (const Undefined* missing = value.get_if<Undefined>()) {
    work.refuse(fmt::format("'{}' is undefined", missing->name));
  }
  if (const std::string* name = key.text()) {
    if (const Mapping* mapping = value.mapping()) {
      work.charge(1 + mapping->entries.size() / 8);
      if (const Value* item = mapping->find(*name)) return *item;
    }
    return attribute_of(work, value, *name);
  }
  if (!key.is<int64_t>() && !key.is<bool>()) return Value(Undefined{"item"});
  const int64_t place = whole_number(work, key, "index");
  if (const Sequence* sequence = value.sequence()) {
    if (const Value* item = element(sequence->items, place)) return *item;
  } else if (const std::string* text = value.text()) {
    const auto characters = characters_of(work, *text);
    if (const auto* one = element(characters, place)) return text_value(work, std::string(*one));
  }
  return Value(Undefined{"item"});
}

namespace {

/// The elements that a slice takes.
template <class T>
std::vector<T> sliced(const Work& work, const std::vector<T>& elements, const Value& start,
                      const Value& stop, const Value& step_value) {
  const auto size = static_cast<int64_t>(elements.size());
  const int64_t step =
      step_value.is<None>() ? 1 : whole_number(work, step_value, "step of a slice");
  if (step == 0) work.refuse("step of a slice: expected a number other than 0");
  const int64_t first = slice_bound(work, start, size, step, step > 0 ? 0 : size - 1);
  const int64_t last = slice_bound(work, stop, size, step, step > 0 ? size : -1);
  std::vector<T> kept;
  for (int64_t i = first; step > 0 ? i < last : i > last;) {
    kept.push_back(elements[static_cast<size_t>(i)]);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return kept;
}

}  // namespace

Value slice_of(Work& work, const Value& value, const Value& start, const Value& stop,
               const Value& step) {
  if (const Sequence* sequence = value.sequence()) {
    return list_value(work, sliced(work, sequence->items, start, stop, step), sequence->is_tuple);
  }
  if (const std::string* whole = value.text()) {
    std::string text;
    for (std::string_view one : sliced(work, characters_of(work, *whole), start, stop, step)) {
      text += one;
    }
    return text_value(work, std::move(text));
  }
  const Undefined* missing = value.get_if<Undefined>();
  if (missing != nullptr) work.refuse(fmt::format("'{}' is undefined", missing->name));
  return Value(Undefined{"slice"});
}

}  // namespace rlhf::text::jinja
