/// Programs in Python that a test asks: RLHF_PYTHON says which Python, python3 unless it is set.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rlhf::test {

inline std::string python() {
  const char* chosen = std::getenv("RLHF_PYTHON");
  return chosen != nullptr ? chosen : "python3";
}

/// The JSON that a script prints; null, and a failed test, where it fails.
inline nlohmann::json ask_python(const std::filesystem::path& script,
                                 const std::vector<std::string>& arguments) {
  std::string command = "'" + python() + "' '" + script.string() + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) {
    ADD_FAILURE() << "cannot run " << command;
    return nullptr;
  }
  std::string output;
  char piece[4096];
  while (const size_t count = std::fread(piece, 1, sizeof piece, pipe)) output.append(piece, count);
  const int status = ::pclose(pipe);
  if (status != 0) {
    ADD_FAILURE() << command << " ended with " << status;
    return nullptr;
  }
  return nlohmann::json::parse(output);
}

/// Tests that ask a script, whose word "check" says which packages are missing, and are skipped
/// then.
class BesidePython : public testing::Test {
 protected:
  explicit BesidePython(std::filesystem::path script) : script_(std::move(script)) {}
  void SetUp() override {
    const std::string check = "'" + python() + "' -c pass 2> /dev/null";
    if (std::system(check.c_str()) != 0) GTEST_SKIP() << "no Python called " << python();
    const std::string problem = ask_python(script_, {"check"});
    if (!problem.empty()) GTEST_SKIP() << python() << ": " << problem;
  }

 private:
  std::filesystem::path script_;
};

}  // namespace rlhf::test
