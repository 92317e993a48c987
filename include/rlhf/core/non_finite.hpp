/// Numbers that are NaN or infinite where none may be, and what a trainer does about them.
#pragma once

#include <cstdint>
#include <source_location>
#include <string_view>

#include "rlhf/core/error.hpp"

namespace rlhf {

/// Such a number, found before it could reach a weight.
class NonFinite : public Error {
 public:
  using Error::Error;
};

/// Throws NonFinite{"<what>: expected a finite number, got <actual> [file:line]"}.
[[noreturn]] void fail_non_finite(std::string_view what, std::string_view actual,
                                  std::source_location where = std::source_location::current());

/// What a step does that meets one.
enum class OnNonFinite : uint8_t {
  stop,  ///< throws NonFinite
  skip,  ///< goes without the update that it would have spoilt, and counts it
};

}  // namespace rlhf
