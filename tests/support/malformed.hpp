/// One row of a table of wrong files and what is said of each.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace rlhf::test {

struct Malformed {
  std::string name;  ///< CamelCase, becomes part of the test's name
  std::string bytes;
  std::string message;  ///< the whole of it, but for the path at its beginning
};

/// Keeps GoogleTest from printing the bytes.
inline void PrintTo(const Malformed& row, std::ostream* out) {
  *out << row.name;
}

inline std::string name_of_row(const testing::TestParamInfo<Malformed>& row) {
  return row.param.name;
}

}  // namespace rlhf::test
