// What the machine can do: the product of two large matrices. Every other figure is read beside it.
#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>

#include "rlhf/core/tensor.hpp"

namespace {

void matrix_product_peak(benchmark::State& state) {
  constexpr int64_t size = 2048;
  at::set_num_threads(static_cast<int>(state.range(0)));
  const rlhf::NoGrad no_grad;
  const rlhf::Tensor a = at::rand({size, size});
  const rlhf::Tensor b = at::rand({size, size});
  rlhf::Tensor product = at::mm(a, b);
  for (auto _ : state) {
    at::mm_out(product, a, b);
  }
  state.counters["FLOP/s"] =
      benchmark::Counter(2.0 * size * size * size, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(matrix_product_peak)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
