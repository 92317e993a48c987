/// What an Error says, as a string to match. gmock's ThrowsMessage would say the same, but makes
/// the compiler build a matcher for every lambda: a quarter of a second each.
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "rlhf/core/error.hpp"

namespace rlhf::test {

/// The message of the Error that `action` throws. Where it throws none, text that no Error has.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  } catch (const std::exception& other) {
    return std::string("<not an rlhf::Error> ").append(other.what());
  }
  return "<nothing was thrown>";
}

/// The same without the place in the library's source at its end, to compare as a whole.
inline std::string message_of(const std::function<void()>& action) {
  const std::string text = error_of(action);
  return text.ends_with(']') ? text.substr(0, text.rfind(" [")) : text;
}

}  // namespace rlhf::test
