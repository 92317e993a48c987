#include "rlhf/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

namespace detail {
std::string show(double value) {
  return fmt::format("{}", value);
}
std::string show(int64_t value) {
  return fmt::format("{}", value);
}
std::string show(at::IntArrayRef sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}
}  // namespace detail

void require_shape(const Tensor& tensor, at::IntArrayRef sizes, std::string_view name,
                   std::source_location where) {
  if (!tensor.defined()) fail(name, detail::show(sizes), "no tensor", where);
  require(tensor.sizes() == sizes, name, sizes, tensor.sizes(), where);
}

void require_dtype(const Tensor& tensor, at::ScalarType dtype, std::string_view name,
                   std::source_location where) {
  if (!tensor.defined()) fail(name, c10::toString(dtype), "no tensor", where);
  require(tensor.scalar_type() == dtype, name, c10::toString(dtype),
          c10::toString(tensor.scalar_type()), where);
}

}  // namespace rlhf
