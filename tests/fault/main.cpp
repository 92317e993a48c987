/// Kills training programs and breaks their disk, starts them again, and compares what they end
/// with, bit for bit, with what an undisturbed run gives.
///
///     fault sft --kills 5 --faults each      every call of a save in turn, one fault each
///     fault all --kills 200 --faults all     every call, every fault that it can have
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

#include "fault/child.hpp"
#include "fault/system_calls.hpp"
#include "rlhf/core/random.hpp"
#include "support/figures.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::fault {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::microseconds;

constexpr int64_t steps = 8;

struct Settings {
  std::string trainer = "all";
  int64_t kills = 5;
  int64_t stops = 2;
  std::string faults = "each";
  uint64_t seed = 1;
  std::string results;
};

/// What was done to one trainer, and how often that did no harm.
struct Tally {
  int64_t kills = 0, identical = 0;
  int64_t stops = 0, resumed = 0;
  int64_t faults = 0, survived = 0;
  bool all_well() const { return kills == identical && stops == resumed && faults == survived; }
  json to_json() const {
    return {{"kills", kills},     {"identical", identical}, {"stops", stops},
            {"resumed", resumed}, {"faults", faults},       {"survived", survived}};
  }
};

class Trial {
 public:
  Trial(std::string trainer, const Settings& settings)
      : trainer_(std::move(trainer)), settings_(settings), generator_(settings.seed) {
    for (const int threads : {1, 2}) {
      const auto begin = std::chrono::steady_clock::now();
      const Start start = start_in("undisturbed-" + std::to_string(threads), threads);
      const Ending ending = run(start);
      if (!ending.finished()) throw std::runtime_error(trainer_ + ": " + ending.said);
      duration_ =
          std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - begin);
      expected_[threads] = test::end_state(start.folder);
    }
  }

  Tally run_all() {
    while (tally_.kills < settings_.kills) kill_at_a_random_moment();
    while (tally_.stops < settings_.stops) stop_at_a_random_moment();
    if (settings_.faults != "none") break_every_call();
    return tally_;
  }

 private:
  Start start_in(const std::string& name, int threads) {
    return {.program = test::small_runs().at(trainer_),
            .folder = folder_ / name,
            .steps = steps,
            .threads = threads};
  }

  microseconds random_moment() {
    return microseconds(
        static_cast<int64_t>(generator_.uniform() * 1.1 * static_cast<double>(duration_.count())));
  }

  /// Runs to the end, and says what is wrong if that is not the undisturbed end.
  bool ends_well(const Start& start, const std::string& what) {
    const Ending ending = run(start);
    const bool well =
        ending.finished() && test::end_state(start.folder) == expected_.at(start.threads);
    if (!well) {
      std::cerr << trainer_ << ": " << what << ": "
                << (ending.finished() ? "another end" : "could not go on") << "\n"
                << ending.said;
    }
    fs::remove_all(start.folder);
    return well;
  }

  /// One to three times in one run.
  void kill_at_a_random_moment() {
    const int threads = tally_.kills % 2 == 0 ? 1 : 2;
    const Start start = start_in("killed", threads);
    int64_t kills = 0;
    const int64_t planned = 1 + generator_.below(3);
    for (int64_t i = 0; i < planned; ++i) {
      Child child(start);
      child.send_after(random_moment(), SIGKILL);
      if (child.wait().signal == SIGKILL) ++kills;
    }
    tally_.kills += kills;
    if (ends_well(start, "killed " + std::to_string(kills) + " times")) tally_.identical += kills;
  }

  /// The step is finished and saved, and the exit status is the shell's.
  void stop_at_a_random_moment() {
    Start start = start_in("stopped", 1);
    start.save_every = 100;  // only what the signal saves
    const int signal = tally_.stops % 2 == 0 ? SIGTERM : SIGINT;
    Child child(start);
    child.send_after(random_moment(), signal);
    const Ending ending = child.wait();
    // Before the program listens and after it has ended, the signal does what it always did.
    const bool in_time = ending.exit_status == 128 + signal;
    const bool says_how =
        !in_time || ending.said.find("Start the same program again") != ending.said.npos;
    const bool well = ends_well(start, "stopped by signal " + std::to_string(signal));
    if (!in_time) return;
    ++tally_.stops;
    if (well && says_how) ++tally_.resumed;
  }

  /// The calls of the save after step 2, in turn: it replaces "latest" and removes step 0.
  void break_every_call() {
    Start start = start_in("watched", 1);
    start.steps = 3;
    start.first = [&] { watch(start.folder.string()); };
    run(start);
    const std::vector<std::string> all = calls();
    fs::remove_all(start.folder);
    const auto mentions = [&](const char* name) {
      return std::ranges::find_if(
                 all, [&](const std::string& call) { return call.find(name) != call.npos; }) -
             all.begin();
    };
    const bool every_fault = settings_.faults == "all";
    const auto begin = mentions("step-00000002.tmp"), end = mentions("step-00000003.tmp");
    if (begin >= end) throw std::runtime_error(trainer_ + ": no call of the save was seen");
    for (auto at = begin; at < end; ++at) {
      std::vector<Fault> possible;
      for (const Fault fault : {Fault::error, Fault::kill, Fault::no_space, Fault::short_write}) {
        if (applies(fault, all[static_cast<size_t>(at)])) possible.push_back(fault);
      }
      if (!every_fault) possible = {possible[static_cast<size_t>(at) % possible.size()]};
      for (const Fault fault : possible) break_call(at, fault, all[static_cast<size_t>(at)]);
    }
  }

  void break_call(int64_t at, Fault fault, const std::string& call) {
    Start start = start_in("broken", 1);
    start.first = [&] { watch(start.folder.string(), at, fault); };
    const Ending ending = run(start);
    // Never a crash: it dies as planned, ends with an Error, or does not mind.
    const bool in_order = fault == Fault::kill ? ending.signal == SIGKILL : ending.exit_status >= 0;
    start.first = {};
    const std::string what =
        std::string(name_of(fault)) + " at call " + std::to_string(at) + ", " + call;
    ++tally_.faults;
    if (!in_order) std::cerr << trainer_ << ": " << what << ": signal " << ending.signal << "\n";
    if (ends_well(start, what) && in_order) ++tally_.survived;
  }

  std::string trainer_;
  Settings settings_;
  Generator generator_;
  test::TemporaryFolder folder_;
  std::map<int, std::string> expected_;  // by threads
  microseconds duration_{0};
  Tally tally_;
};

void keep_result(const std::string& folder, const std::string& trainer, const json& tally) {
  static const test::Figures figures{
      .introduction =
          "# Killed anywhere: the latest figures\n\n"
          "Made by `build/tests/fault/fault all --kills 200 --stops 50 --faults all --results "
          "tests/fault`, a trainer\n"
          "at a time; what it does is told in [tests/README.md](../README.md). A kill is a SIGKILL "
          "at a random moment,\n"
          "a stop a SIGTERM or SIGINT, a fault one system call of a save (all of them in turn) "
          "that "
          "fails, is cut\n"
          "short, or never comes. Identical, resumed and survived: started again, the run ended "
          "with the weights,\n"
          "optimizer states, samples and metrics of an undisturbed one, bit for bit.\n",
      .rows_are = "trainer",
      .columns = {"kills", "identical", "stops", "resumed", "faults", "survived"}};
  test::keep_figures(folder, figures, trainer, tally);
}

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Kills training programs, breaks their disk, and looks what becomes of them");
  app.add_option("trainer", settings.trainer, "one of the small runs, or all");
  app.add_option("--kills", settings.kills, "at least so many, by SIGKILL at random moments");
  app.add_option("--stops", settings.stops, "by SIGTERM and SIGINT");
  app.add_option("--faults", settings.faults)->check(CLI::IsMember({"none", "each", "all"}));
  app.add_option("--seed", settings.seed, "of the random moments");
  app.add_option("--results", settings.results, "a folder for results.json and RESULTS.md");
  CLI11_PARSE(app, argc, argv);

  bool all_well = true, any = false;
  for (const auto& [name, program] : test::small_runs()) {
    if (settings.trainer != "all" && settings.trainer != name) continue;
    const Tally tally = Trial(name, settings).run_all();
    any = true;
    all_well = all_well && tally.all_well();
    std::cout << name << " " << tally.to_json().dump() << std::endl;
    if (!settings.results.empty()) keep_result(settings.results, name, tally.to_json());
  }
  return all_well && any ? 0 : 1;
}

}  // namespace
}  // namespace rlhf::fault

int main(int argc, char** argv) {
  // A killed process loses nothing that it handed to the system, so memory will do for a disk, and
  // syncing it takes no time.
  if (std::filesystem::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", /*overwrite=*/0);
  try {
    return rlhf::fault::main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
