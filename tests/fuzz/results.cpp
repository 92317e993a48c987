#include "fuzz/results.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::fuzz {
namespace {

using nlohmann::json;

std::string page(const json& results) {
  std::string text =
      "# Hostile files: the latest figures\n"
      "\n"
      "`build/tests/fuzz/fuzz all --executions 1000000 --seed 2 --results tests/fuzz` writes this "
      "page and\n"
      "`results.json` anew, a parser at a time, under AddressSanitizer and UBSan; what it does is "
      "told in\n"
      "[tests/README.md](../README.md). A parser with fewer executions has not had the long form "
      "yet. Read and\n"
      "refused: without and with an Error that names the file. Places: in the library's source "
      "that refused at\n"
      "least one. Bad: anything else that came of an input, which ends the run.\n"
      "\n"
      "| parser | executions | read | refused | places | bad | seconds |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const auto& [name, tally] : results.items()) {
    text += "| " + name;
    for (const char* field : {"executions", "read", "refused", "places", "bad", "seconds"}) {
      text += " | " + tally[field].dump();
    }
    text += " |\n";
  }
  return text;
}

}  // namespace

void keep_result(const std::string& folder, std::string_view target, const Tally& tally) {
  const std::filesystem::path path = std::filesystem::path(folder) / "results.json";
  json results = std::filesystem::exists(path) ? io::read_json(path) : json::object();
  results[std::string(target)] = {
      {"executions", tally.executions},   {"read", tally.read},
      {"refused", tally.refused},         {"places", tally.places},
      {"bad", tally.bad.empty() ? 0 : 1}, {"seconds", std::llround(tally.seconds)}};
  io::write_file_atomically(path, results.dump(1) + "\n");
  io::write_file_atomically(std::filesystem::path(folder) / "RESULTS.md", page(results));
}

}  // namespace rlhf::fuzz
