// What the machine can do: the product of two large matrices. Every other figure is read beside it.
#include "shapes.hpp"

namespace bench {
namespace {

void matrix_product_peak(benchmark::State& state) {
  double best = 0;
  for (auto _ : state) best = std::max(best, peak(static_cast<int>(state.range(0))));
  state.counters["FLOP/s"] = best;
}
BENCHMARK(matrix_product_peak)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bench
