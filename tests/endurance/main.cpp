// Thousands of small PPO steps in one process, and the memory it holds on the way: as much at the
// end as after the warm-up, or the program fails.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <iostream>

#include "rlhf/core/version.hpp"
#include "support/small_runs.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::endurance {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Settings {
  int64_t steps = 10'000;
  int64_t warm_up = 1'000;
  double most_growth_mb = 1.0;
  double leak_kb = 0.0;
  std::string results;
};

/// What the process holds, in MB: as Linux counts it, and what is allocated and not freed. The
/// second knows nothing of fragments, so it shows the smaller leak sooner.
struct Memory {
  double resident = 0, allocated = 0;
};

Memory memory() {
  int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  const auto heap = ::mallinfo2();
  return {.resident =
              static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6,
          .allocated = static_cast<double>(heap.uordblks + heap.hblkhd) / 1e6};
}

/// Memory by steps: at each tenth of the run, and the most since the warm-up.
struct Course {
  std::vector<std::pair<int64_t, Memory>> points;
  Memory warm, most;

  /// Of either kind, from the end of the warm-up to the most since.
  double growth_mb() const {
    return std::max(most.resident - warm.resident, most.allocated - warm.allocated);
  }
};

Course train(const Settings& settings) {
  const test::TemporaryFolder folder;
  // Gentle, as over so many steps the small run's KL coefficient would grow out of all bounds.
  PpoOptions ppo = test::small_ppo_options();
  ppo.kl = {.coefficient = 0.1, .target = 6, .horizon = 10'000};
  ppo.policy_optimizer.learning_rate = ppo.critic_optimizer.learning_rate = 1e-4;
  const RunOptions options{.save_every = 200, .keep = 2, .say = [](std::string_view) {}};
  const int64_t every = std::max<int64_t>(1, settings.steps / 10);
  Course course;
  std::vector<std::string> leaked;
  const auto watch = [&](int64_t step) {
    if (settings.leak_kb > 0) {
      leaked.emplace_back(static_cast<size_t>(settings.leak_kb * 1000), 'x');
    }
    const Memory now = memory();
    if (step == settings.warm_up) course.warm = course.most = now;
    if (step > settings.warm_up) {
      course.most.resident = std::max(course.most.resident, now.resident);
      course.most.allocated = std::max(course.most.allocated, now.allocated);
    }
    if (step % every != 0) return;
    course.points.emplace_back(step, now);
    std::cout << fmt::format("step {}: {:.2f} MB resident, {:.2f} MB allocated", step, now.resident,
                             now.allocated)
              << std::endl;
  };
  test::run_watched_ppo(folder / "run", settings.steps, options, watch, ppo);
  return course;
}

json to_json(const Memory& memory) {
  const auto rounded = [](double mb) { return std::round(mb * 100) / 100; };
  return {{"resident_mb", rounded(memory.resident)}, {"allocated_mb", rounded(memory.allocated)}};
}

json to_json(const Course& course, const Settings& settings, double seconds) {
  json points = json::array();
  for (const auto& [step, memory] : course.points) {
    json point = to_json(memory);
    point["step"] = step;
    points.push_back(point);
  }
  return {{"library", version()},
          {"steps", settings.steps},
          {"seconds", std::round(seconds)},
          {"warm_up", settings.warm_up},
          {"after_warm_up", to_json(course.warm)},
          {"most_since", to_json(course.most)},
          {"growth_mb", std::round(course.growth_mb() * 100) / 100},
          {"most_growth_mb", settings.most_growth_mb},
          {"flat", course.growth_mb() <= settings.most_growth_mb},
          {"points", points}};
}

std::string page(const json& result) {
  std::string text = fmt::format(
      "# Memory over many PPO steps: the latest figures\n"
      "\n"
      "`build/tests/endurance/endurance --results tests/endurance` writes this page and "
      "`results.json`\n"
      "anew. The run is small (a model of two layers, two epochs of two minibatches, "
      "demonstrations "
      "mixed in) and\n"
      "does all that a long one does: a critic, an adaptive KL coefficient, metrics, a checkpoint "
      "every 200 steps.\n"
      "Resident is what Linux says the process holds, allocated what is allocated and not freed; "
      "the most is of all\n"
      "steps since the warm-up of {}. The program fails if either grows by more than {} MB.\n"
      "\n"
      "| step | resident, MB | allocated, MB |\n"
      "|---|---|---|\n",
      result["warm_up"].get<int64_t>(), result["most_growth_mb"].get<double>());
  const auto row = [&](const std::string& name, const json& memory) {
    text += fmt::format("| {} | {:.2f} | {:.2f} |\n", name, memory["resident_mb"].get<double>(),
                        memory["allocated_mb"].get<double>());
  };
  for (const json& point : result["points"]) row(std::to_string(point["step"].get<int>()), point);
  row("most since the warm-up", result["most_since"]);
  return text + fmt::format("\n{}: {:.2f} MB more than after the warm-up at most, in {} s.\n",
                            result["flat"] == true ? "Flat" : "NOT FLAT",
                            result["growth_mb"].get<double>(), result["seconds"].get<double>());
}

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Many small PPO steps, with checkpoints and metrics, and the memory they take");
  app.add_option("--steps", settings.steps)->check(CLI::PositiveNumber);
  app.add_option("--warm-up", settings.warm_up, "steps: caches fill, the heap finds its size")
      ->check(CLI::PositiveNumber);
  app.add_option("--most-growth-mb", settings.most_growth_mb, "of memory since the warm-up");
  app.add_option("--leak-kb", settings.leak_kb, "to lose in each step, to see that it is noticed");
  app.add_option("--results", settings.results, "a folder for results.json and RESULTS.md");
  CLI11_PARSE(app, argc, argv);
  require(settings.warm_up < settings.steps, "--warm-up", fmt::format("< {}", settings.steps),
          settings.warm_up);

  const auto start = std::chrono::steady_clock::now();
  const Course course = train(settings);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const json result = to_json(course, settings, seconds.count());
  if (!settings.results.empty()) {
    const fs::path folder = settings.results;
    io::write_file_atomically(folder / "results.json", result.dump(1) + "\n");
    io::write_file_atomically(folder / "RESULTS.md", page(result));
  }
  std::cout << fmt::format("{}: {:.2f} MB more than after step {} at most, {:.0f} s\n",
                           result["flat"] == true ? "flat" : "NOT FLAT", course.growth_mb(),
                           settings.warm_up, seconds.count());
  return result["flat"] == true ? 0 : 1;
}

}  // namespace
}  // namespace rlhf::endurance

int main(int argc, char** argv) {
  if (std::filesystem::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", /*overwrite=*/0);
  try {
    return rlhf::endurance::main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
