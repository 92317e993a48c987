// Runs one job a turn at a time, so that compare.py can let it alternate with a peer: a line
// `step N` on the standard input runs N steps, `end` ends. Answers are lines of JSON.
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "jobs.hpp"
#include "memory.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/core/version.hpp"

namespace bench {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string job, size = "tiny", dtype = "float32", tokens;
  int threads = 1;
};

struct Now {
  std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now();
  std::clock_t cpu = std::clock();
};

void say(const Json& line) {
  std::cout << line << std::endl;
}

/// The machine's peak before or after all steps.
Json peaks() {
  return {{"float32", peak(at::kFloat)}, {"bfloat16", peak(at::kBFloat16)}};
}

Json turn(Job& job, int64_t steps) {
  const Now begin;
  Work work;
  for (int64_t step = 0; step < steps; ++step) work += job.step();
  const Now end;
  Json line{{"seconds", std::chrono::duration<double>(end.wall - begin.wall).count()},
            {"cpu_seconds", static_cast<double>(end.cpu - begin.cpu) / CLOCKS_PER_SEC},
            {"units", work.units},
            {"operations", work.operations}};
  for (const auto& [name, phase] : work.phases) {
    line["phases"][name] = {{"seconds", phase.seconds}, {"operations", phase.operations}};
  }
  return line;
}

void take_turns(const Options& options) {
  at::set_num_threads(options.threads);
  const JobKind& kind = job_kind(options.job);
  Setting setting{.shape = shape(options.size), .precision = precision(options.dtype), .rows = {}};
  setting.rows = options.tokens.empty() ? kind.draw(setting.shape, 20 * kind.rows_a_step)
                                        : read_rows(options.tokens);
  const double held = held_mb();
  const Json before = peaks();  // the buffers that products leave behind count as the job's
  count_peak_anew();
  const auto job = kind.start(setting);
  say({{"ready", true},
       {"engine", "rlhf " + std::string(rlhf::version()) + " with LibTorch " TORCH_VERSION},
       {"unit", kind.unit},
       {"held_mb", held},
       {"fast", rlhf::is_fast(setting.precision)}});
  int64_t done = 0, asked = 0;
  for (std::string word; std::cin >> word && word == "step" && std::cin >> asked; done += asked) {
    say(turn(*job, asked));
  }
  const double most = peak_mb();
  say({{"end", true},
       {"steps", done},
       {"peak_mb", most},
       {"memory_mb", most - held},
       {"peaks_before", before},
       {"peaks_after", peaks()}});
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  CLI::App app{"One job of rlhf, a turn at a time. Reads `step N` and `end`, answers in JSON."};
  bench::Options options;
  app.add_option("--job", options.job, "generate, sft, reward, ranking6, ppo, ppo_ragged")
      ->required();
  app.add_option("--size", options.size, "tiny, small, medium")->capture_default_str();
  app.add_option("--dtype", options.dtype, "float32, bfloat16, int8")->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--tokens", options.tokens, "what a peer dumped; without, tokens are drawn");
  CLI11_PARSE(app, argc, argv);
  try {
    bench::take_turns(options);
  } catch (const std::exception& error) {
    std::cerr << "bench_pair: " << error.what() << '\n';
    return 1;
  }
}
