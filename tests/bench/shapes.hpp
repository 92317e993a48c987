/// The model shapes of all speed figures, what a pass over them costs, and the peak they are
/// measured against.
#pragma once

#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>

#include <string>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/model/causal_lm.hpp"

namespace bench {

struct Shape {
  const char* name;
  rlhf::TransformerConfig config;

  /// Weights that multiply every token: those of the layers, those of the output layer.
  double layer_weights() const;
  double output_weights() const;
};

/// 0 tiny, 1 small; tied output layers, context 512.
const Shape& shape(int64_t index);

/// Operations a second of the product of two 2048 x 2048 float32 matrices, measured now.
double peak(int threads);

/// Random prompts of equal length, with or without random responses.
rlhf::Completions random_batch(const Shape& shape, int64_t rows, int64_t prompt, int64_t response,
                               rlhf::Generator& generator);
/// Lengths drawn evenly from 16 .. prompt + response and cut in the ratio prompt : response.
rlhf::Completions ragged_batch(const Shape& shape, int64_t rows, int64_t prompt, int64_t response,
                               rlhf::Generator& generator);

/// Runs `work` once an iteration on state.range(1) threads and reports `count` things a second, and
/// the share of the peak that `operations` are.
template <class Work>
void measure(benchmark::State& state, const char* unit, double count, double operations,
             Work&& work) {
  const auto threads = static_cast<int>(state.range(1));
  at::set_num_threads(threads);
  work();  // memory is warm, pages are there
  const double before = peak(threads);
  for (auto _ : state) work();
  const double limit = (before + peak(threads)) / 2;
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters[unit] = benchmark::Counter(count, rate);
  state.counters["of_peak"] = benchmark::Counter(operations / limit, rate);
  state.SetLabel(shape(state.range(0)).name);
}

/// Both shapes on one thread and on two.
inline void shapes_and_threads(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"shape", "threads"})->ArgsProduct({{0, 1}, {1, 2}});
  bench->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(1.0);
}

}  // namespace bench
