#include "fuzz/driver.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "fuzz/mutate.hpp"
#include "fuzz/results.hpp"
#include "rlhf/core/error.hpp"
#include "support/temporary_folder.hpp"

// The sanitizers' own; absent where the program is built without them.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

constexpr unsigned seconds_an_execution = 20;

// What a dying program still needs to know: nothing here may allocate.
const std::string* current_input = nullptr;
char crash_path[4096];

void keep_current_input() {
  if (current_input == nullptr) return;
  const int file = ::open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const ssize_t written = ::write(file, current_input->data(), current_input->size());
  static_cast<void>(written);  // it is too late to do anything about it
  ::close(file);
  current_input = nullptr;
}

void on_signal(int number) {
  keep_current_input();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

}  // namespace

/// An allocation a thousand times the longest input is a failure; every report says where. What was
/// freed is kept back for some inputs only, which is a third quicker than to fill the caches with
/// it.
extern "C" const char* __asan_default_options() {
  return "max_allocation_size_mb=64:quarantine_size_mb=8";
}
extern "C" const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

namespace rlhf::fuzz {
namespace {

namespace fs = std::filesystem;

/// The place that an Error's message ends with: "[gguf.cpp:57]".
std::string place_of(std::string_view message) {
  const size_t bracket = message.rfind('[');
  return std::string(bracket == message.npos ? "" : message.substr(bracket));
}

std::string bytes_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> seeds_of(const Target& target) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(RLHF_FUZZ_SEEDS) / target.name)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());  // a folder's order differs from machine to machine
  std::vector<std::string> seeds;
  for (const fs::path& path : paths) seeds.push_back(bytes_of_file(path));
  if (seeds.empty()) fail("seeds of " + std::string(target.name), "at least one", "none");
  return seeds;
}

void prepare_for_the_worst(const Target& target, const Options& options) {
  const std::string path = fs::absolute(options.crashes) / ("crash-" + std::string(target.name));
  std::strncpy(crash_path, path.c_str(), sizeof crash_path - 1);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) {
    std::signal(number, on_signal);
  }
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_current_input);
}

/// An empty folder to work in, gone afterwards: in memory where there is such a place.
class Workplace {
 public:
  Workplace() { fs::current_path(folder_.path()); }
  ~Workplace() { fs::current_path(before_); }

 private:
  fs::path before_ = fs::current_path();
  test::TemporaryFolder folder_;
};

int replay(const Target& target, const std::string& path) {
  const std::string bytes = bytes_of_file(path);
  const Workplace workplace;
  try {
    target.read(bytes);
    std::cout << path << ": read\n";
  } catch (const Error& error) {
    std::cout << path << ": refused: " << error.what() << "\n";
  }
  return 0;
}

}  // namespace

Tally run(const Target& target, std::vector<std::string> seeds, const Options& options) {
  constexpr size_t largest_corpus = 500;
  Mutator mutator(options.seed, target.words);
  std::set<std::string> places;
  Tally tally;
  while (tally.executions < options.executions && tally.bad.empty()) {
    // The seeds themselves come first.
    const auto turn = static_cast<size_t>(tally.executions);
    std::string input = turn < seeds.size() ? seeds[turn] : mutator.next(seeds);
    if (turn >= seeds.size() && turn % 2 == 0 && target.mend != nullptr) target.mend(input);
    current_input = &input;
    ::alarm(seconds_an_execution);
    ++tally.executions;
    try {
      target.read(input);
      if (tally.read++ % 100 == 0 && seeds.size() < largest_corpus) seeds.push_back(input);
    } catch (const Error& error) {
      const std::string_view message = error.what();
      if (!message.starts_with(file_name)) tally.bad = "names no file: " + std::string(message);
      ++tally.refused;
      if (places.insert(place_of(message)).second && seeds.size() < largest_corpus) {
        seeds.push_back(input);
      }
    } catch (const std::exception& other) {
      tally.bad = std::string("not an rlhf::Error: ") + other.what();
    }
    if (!tally.bad.empty()) keep_current_input();
    current_input = nullptr;
  }
  ::alarm(0);
  tally.places = places.size();
  return tally;
}

/// @return whether nothing was bad
bool run_and_tell(const Target& target, const Options& options) {
  prepare_for_the_worst(target, options);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> seeds = seeds_of(target);
  Tally tally = [&] {
    const Workplace workplace;
    return run(target, seeds, options);
  }();
  tally.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << target.name << ": " << tally.executions << " executions of seed " << options.seed
            << ", " << tally.read << " read, " << tally.refused << " refused at " << tally.places
            << " places, " << (tally.bad.empty() ? "none bad" : "BAD: " + tally.bad) << ", "
            << tally.seconds << " s" << std::endl;
  if (!options.results.empty()) keep_result(options.results, target.name, tally);
  return tally.bad.empty();
}

int main_of(int argc, char** argv, const std::vector<Target>& targets) {
  const std::string usage =
      "TARGET|all [--executions N] [--seed K] [--crashes FOLDER] [--results FOLDER] | TARGET "
      "--replay FILE";
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  std::vector<Target> chosen;
  for (const Target& target : targets) {
    if (wanted == "all" || wanted == target.name) chosen.push_back(target);
  }
  if (chosen.empty() || argc % 2 != 0) {
    std::cerr << argv[0] << " " << usage << "\ntargets:";
    for (const Target& known : targets) std::cerr << " " << known.name;
    std::cerr << "\n";
    return 2;
  }
  if (fs::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", /*overwrite=*/0);
  Options options;
  for (int i = 2; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--replay") return replay(chosen.front(), argv[i + 1]);
    if (name == "--executions") options.executions = std::atoll(argv[i + 1]);
    if (name == "--seed") options.seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--crashes") options.crashes = argv[i + 1];
    if (name == "--results") options.results = argv[i + 1];
  }
  bool well = true;
  for (const Target& target : chosen) well = run_and_tell(target, options) && well;
  return well ? 0 : 1;
}

}  // namespace rlhf::fuzz
