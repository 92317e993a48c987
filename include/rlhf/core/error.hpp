/// The one exception of the library, and the check that throws it: what, expected, actual, file and
/// line. No LibTorch is read; checks of tensors are in core/tensor.hpp.
#pragma once

#include <cstdint>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace rlhf {

/// Thrown for every mistake a user can make. `what()` reads
/// "<what>: expected <expected>, got <actual> [file:line]".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error{"<message> [file:line]"}.
[[noreturn]] void fail(std::string_view message,
                       std::source_location where = std::source_location::current());

/// Throws Error{"<what>: expected <expected>, got <actual> [file:line]"}.
[[noreturn]] void fail(std::string_view what, std::string_view expected, std::string_view actual,
                       std::source_location where = std::source_location::current());

namespace detail {
std::string show(double value);
std::string show(int64_t value);
std::string show(std::span<const int64_t> sizes);
template <class T>
std::string show_any(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string(std::string_view(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    return show(static_cast<int64_t>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    return show(static_cast<double>(value));
  } else {
    return show(std::span<const int64_t>(value));
  }
}
}  // namespace detail

/// Throws unless `ok`; the text is made only then. `expected` and `actual` are numbers, strings or
/// sizes.
///
///   require(k >= 2, "group size", ">= 2", k);
template <class Expected, class Actual>
void require(bool ok, std::string_view what, const Expected& expected, const Actual& actual,
             std::source_location where = std::source_location::current()) {
  if (!ok) [[unlikely]] {
    fail(what, detail::show_any(expected), detail::show_any(actual), where);
  }
}

/// Throws unless an enumeration whose values count from 0 to `last` holds one of them.
///
///   require_known(shape, Shape::cosine, "Schedule::shape", "constant, linear or cosine");
template <class E>
requires std::is_enum_v<E>
void require_known(E value, E last, std::string_view what, std::string_view names,
                   std::source_location where = std::source_location::current()) {
  require(static_cast<int64_t>(value) >= 0 && value <= last, what, names,
          static_cast<int64_t>(value), where);
}

}  // namespace rlhf
