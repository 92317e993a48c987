// What the machine can do: the product of two large matrices. Every other figure is read beside it.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <algorithm>

#include "shapes.hpp"

namespace {

void matrix_product(benchmark::State& state, at::ScalarType dtype) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  double best = 0;
  for (auto _ : state) best = std::max(best, bench::peak(dtype));
  state.counters["FLOP/s"] = best;
}

void one_and_two_threads(benchmark::internal::Benchmark* bench) {
  bench->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(matrix_product, float32, at::kFloat)->Apply(one_and_two_threads);
BENCHMARK_CAPTURE(matrix_product, bfloat16, at::kBFloat16)->Apply(one_and_two_threads);

}  // namespace
