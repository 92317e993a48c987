// A program that has fmt and spdlog of its own beside rlhf and LibTorch.
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <string>

#include "rlhf/rlhf.hpp"

int main() {
  int narrowed = 3.7;  // a warning that rlhf's own code may not have: consumers are not held to it
  const rlhf::Completions completions = rlhf::completions_from({{1, 2}, {3}}, {{4}, {5, 6, 7}});
  spdlog::info("{} completions of {} tokens, mask {}", completions.size(),
               completions.token_count(), fmt::join(rlhf::mask_of(completions).sizes(), " x "));
  try {
    rlhf::require(false, "group size", ">= 2", 1);
  } catch (const rlhf::Error& error) {
    spdlog::info("{}", error.what());
    return completions.longest_response() == narrowed ? 0 : 1;
  }
  return 1;
}
