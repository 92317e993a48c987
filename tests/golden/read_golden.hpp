/// Reads the golden values that generate.py wrote.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace rlhf::test {

using nlohmann::json;

/// A file of tests/golden/data, by its name without the ending.
inline json read_golden(const std::string& name) {
  std::ifstream file(std::string(RLHF_GOLDEN_DIR) + "/data/" + name + ".json");
  return json::parse(file);
}

}  // namespace rlhf::test
