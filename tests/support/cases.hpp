/// How many random cases a property is tried on: few among the fast tests, more where
/// RLHF_CASES says so, as `ctest -L long` does.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "rlhf/core/random.hpp"

namespace rlhf::test {

inline int64_t case_count(int64_t few) {
  const char* wanted = std::getenv("RLHF_CASES");
  return wanted == nullptr ? few : std::atoll(wanted);
}

/// Calls check(generator) for each case, with a generator that depends on the case's number alone,
/// until one fails. The failure names the case.
template <class Check>
void for_each_case(int64_t few, Check&& check) {
  for (int64_t number = 0; number < case_count(few); ++number) {
    SCOPED_TRACE("case " + std::to_string(number));
    Generator generator(static_cast<uint64_t>(1000 + number));
    check(generator);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace rlhf::test
