// The cases are shapes, dtypes and threads; a case's first step is left out.
#include "program.hpp"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "jobs.hpp"
#include "memory.hpp"

namespace bench {
namespace {

/// A step of it takes tens of seconds: one is measured.
constexpr const char* large = "medium";

void run(benchmark::State& state, const JobKind& kind, const char* size, const char* dtype) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  const auto numbers = precision(dtype) == rlhf::Precision::bfloat16 ? at::kBFloat16 : at::kFloat;
  const double held = held_mb();
  const double before = peak(numbers);
  count_peak_anew();
  const auto job = kind.start({.shape = shape(size),
                               .precision = precision(dtype),
                               .rows = kind.draw(shape(size), 8 * kind.rows_a_step)});
  job->step();  // memory is warm, pages are there
  Work done;
  for (auto _ : state) done += job->step();
  const double most = peak_mb();
  const double limit = (before + peak(numbers)) / 2;
  state.counters[std::string(kind.unit) + "/s"] =
      benchmark::Counter(done.units, benchmark::Counter::kIsRate);
  if (precision(dtype) != rlhf::Precision::int8) {
    state.counters["of_peak"] =
        benchmark::Counter(done.operations / limit, benchmark::Counter::kIsRate);
    for (const auto& [name, phase] : done.phases) {
      state.counters["of_peak_" + name] = phase.operations / phase.seconds / limit;
    }
  }
  state.counters["memory_MB"] = most - held;
}

void add(const JobKind& kind, const char* size, const char* dtype) {
  const std::string name = std::string(kind.name) + "/" + size + "/" + dtype;
  auto* bench = benchmark::RegisterBenchmark(
      name.c_str(),
      [&kind, size, dtype](benchmark::State& state) { run(state, kind, size, dtype); });
  bench->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
  size == std::string_view(large) ? bench->Iterations(1) : bench->MinTime(1.0);
}

}  // namespace

int run_program(std::string_view program, int argc, char** argv) {
  for (const JobKind& kind : job_kinds()) {
    if (kind.program != program) continue;
    for (const char* size : {"tiny", "small"}) {
      add(kind, size, "float32");
      add(kind, size, "bfloat16");
      if (program == "generation") add(kind, size, "int8");
    }
    if (program == "sft") add(kind, large, "float32");
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace bench
