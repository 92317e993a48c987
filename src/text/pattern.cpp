#include "pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>

#include "rlhf/core/error.hpp"

namespace rlhf::text {
namespace {

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer = {};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

/// Where a match stands. One a thread: making one costs more than matching a short text.
pcre2_match_data* match_data() {
  thread_local const std::unique_ptr<pcre2_match_data, FreeMatch> data(
      pcre2_match_data_create(1, nullptr));
  return data.get();
}

// Lines end at "\n", for `^`, `$` and `.`, whatever PCRE2 was built with.
pcre2_code* compile(const std::string& source, int& error, PCRE2_SIZE& offset) {
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_code* code = pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, context);
  pcre2_compile_context_free(context);
  return code;
}

}  // namespace

Pattern::Pattern(const std::string& source, const std::string& shown) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_.reset(compile(source, error, offset));
  if (!code_ && source == shown) {
    fail(fmt::format("pattern {:?}: {} at offset {}", shown, message_of(error), offset));
  }
  if (!code_) fail(fmt::format("pattern {:?}: {}", shown, message_of(error)));
  // Where this machine allows no JIT code, pcre2_match interprets the pattern.
  pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
}

void Pattern::Free::operator()(pcre2_code* code) const {
  pcre2_code_free(code);
}

std::optional<std::pair<size_t, size_t>> Pattern::find(std::string_view text, size_t from) const {
  const auto match = [&](uint32_t options) {
    // Without NO_UTF_CHECK each call would read the whole text again.
    return pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       PCRE2_NO_UTF_CHECK | options, match_data(), nullptr);
  };
  int count = match(0);
  // JIT code has a small stack of its own; the interpreter uses the heap.
  if (count == PCRE2_ERROR_JIT_STACKLIMIT) count = match(PCRE2_NO_JIT);
  if (count == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (count < 0)
    fail(fmt::format("pattern on a text of {} bytes: {}", text.size(), message_of(count)));
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(match_data());
  return std::pair(bounds[0], bounds[1]);
}

}  // namespace rlhf::text
