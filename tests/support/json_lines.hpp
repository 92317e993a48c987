/// Programs that a script asks: a line of JSON in, a line out.
#pragma once

#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/core/error.hpp"

namespace rlhf::test {

/// Answers every line of the input; an Error is the answer {"error": its message}.
/// @return what main() returns
template <class Answer>
int answer_lines(Answer&& answer) try {
  using nlohmann::ordered_json;
  for (std::string line; std::getline(std::cin, line);) {
    ordered_json result;
    try {
      result = answer(ordered_json::parse(line));
    } catch (const Error& error) {
      result = {{"error", error.what()}};
    }
    std::cout << result.dump() << "\n";
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}

}  // namespace rlhf::test
