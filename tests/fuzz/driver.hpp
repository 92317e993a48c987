/// Runs a parser on a great many wrong files. Whatever the bytes, a parser returns or throws an
/// Error that names the file; anything else is a failure: another exception, a crash, a sanitizer's
/// report, an allocation out of proportion, a file that takes seconds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rlhf::fuzz {

/// The name under which a target gives the bytes to its parser: every Error's message begins so.
inline constexpr const char* file_name = "fuzzed";

/// One parser. Runs `read` on bytes: it may throw Error, or nothing. A parser that opens files
/// finds itself in an empty folder (place.hpp).
struct Target {
  std::string_view name;
  void (*read)(const std::string& bytes);
  std::vector<std::string> words = {};  ///< that the format is made of
  /// Mends every other input's checksums or lengths, so that what stands behind them is reached.
  void (*mend)(std::string& bytes) = nullptr;
};

struct Options {
  int64_t executions = 10'000;
  uint64_t seed = 1;
  std::string crashes = ".";  ///< folder for the input that failed
  std::string results = "";   ///< folder whose results.json and RESULTS.md are brought up to date
};

/// What became of the executions.
struct Tally {
  int64_t executions = 0;
  int64_t read = 0;      ///< without an Error
  int64_t refused = 0;   ///< with one
  size_t places = 0;     ///< in the library's source that refused at least one
  std::string bad = "";  ///< what went wrong, empty if nothing did
  double seconds = 0;
};

/// Runs until the first failure. Inputs that were refused at a place that none before had reached
/// join the seeds, and some of those that were read, so that later ones come further.
Tally run(const Target& target, std::vector<std::string> seeds, const Options& options);

/// `program TARGET|all [--executions N] [--seed K] [--crashes FOLDER] [--results FOLDER]`,
/// `program TARGET --replay FILE`.
int main_of(int argc, char** argv, const std::vector<Target>& targets);

}  // namespace rlhf::fuzz
