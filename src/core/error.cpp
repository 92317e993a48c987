#include "rlhf/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rlhf/core/non_finite.hpp"

namespace rlhf {
namespace {

std::string at_source(const std::source_location& where) {
  const std::string_view path = where.file_name();
  const size_t slash = path.find_last_of('/');
  return fmt::format("[{}:{}]", slash == path.npos ? path : path.substr(slash + 1), where.line());
}

}  // namespace

void fail(std::string_view message, std::source_location where) {
  throw Error(fmt::format("{} {}", message, at_source(where)));
}

void fail(std::string_view what, std::string_view expected, std::string_view actual,
          std::source_location where) {
  throw Error(fmt::format("{}: expected {}, got {} {}", what, expected, actual, at_source(where)));
}

void fail_non_finite(std::string_view what, std::string_view actual, std::source_location where) {
  throw NonFinite(
      fmt::format("{}: expected a finite number, got {} {}", what, actual, at_source(where)));
}

namespace detail {
std::string show(double value) {
  return fmt::format("{}", value);
}
std::string show(int64_t value) {
  return fmt::format("{}", value);
}
std::string show(std::span<const int64_t> sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}
}  // namespace detail

}  // namespace rlhf
