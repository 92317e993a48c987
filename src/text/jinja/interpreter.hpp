/// Runs a parsed template.
#pragma once

#include <chrono>
#include <optional>

#include "syntax.hpp"

namespace rlhf::text::jinja {

struct Output {
  std::string text;
  /// Bytes that stand in {% generation %} blocks, from and to, in order.
  std::vector<std::pair<size_t, size_t>> generated;
};

/// @param variables  what the template finds by name
/// @param now        what strftime_now() tells; without it the template finds no such function
/// @throws Error naming the line: what is missing or has no meaning, what raise_exception says, and
///         what goes beyond the limits of `work`
Output run_template(Work& work, const std::vector<Statement>& body,
                    std::vector<std::pair<std::string, Value>> variables,
                    std::optional<std::chrono::sys_seconds> now);

}  // namespace rlhf::text::jinja
