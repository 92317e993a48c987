#include "work.hpp"

#include <fmt/format.h>

#include "rlhf/core/error.hpp"

namespace rlhf::text::jinja {

void Work::refuse(std::string_view message) const {
  fail(fmt::format("chat template, line {}: {}", line, message));
}

void Work::exhausted() const {
  refuse("it does more than RenderLimits::steps allows");
}

void Work::require_output(size_t bytes) const {
  if (bytes > output_bytes_) {
    refuse(fmt::format("its output is longer than the {} bytes of RenderLimits::output_bytes",
                       output_bytes_));
  }
}

}  // namespace rlhf::text::jinja
