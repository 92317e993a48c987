// How cost grows: with real tokens, with ragged responses, with the vocabulary, with threads.
// Each case compares two costs of one run, so a busy machine spoils it less.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>

#include "ending.hpp"
#include "jobs.hpp"
#include "memory.hpp"
#include "rlhf/model/token_log_probs.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/trainer/sft.hpp"

namespace bench {
namespace {

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Where one thread works, the steadier figure: what other programs took is not in it.
double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

using Clock = double (*)();

double seconds_of(const std::function<void()>& work, Clock now) {
  const double begin = now();
  work();
  return now() - begin;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// Median of first()'s time over second()'s, taken in turns.
double ratio_of(const std::function<void()>& first, const std::function<void()>& second, int pairs,
                Clock now = processor_seconds) {
  std::vector<double> ratios;
  first();
  second();
  for (int pair = 0; pair < pairs; ++pair)
    ratios.push_back(seconds_of(first, now) / seconds_of(second, now));
  return median(ratios);
}

// --- memory of log-probabilities

/// MB that log-probabilities and their gradients take, without the weights and the weights'
/// gradient.
double log_prob_mb(int64_t vocab) {
  constexpr int64_t tokens = 4096, dim = 64;
  const rlhf::Tensor hidden = torch::randn({tokens, dim}).requires_grad_();
  const rlhf::Tensor weight = (0.02 * torch::randn({vocab, dim})).requires_grad_();
  const rlhf::Tensor targets = torch::randint(vocab, {tokens}, torch::kInt64);
  count_peak_anew();
  const double held = held_mb();
  rlhf::model::token_log_probs(hidden, weight, targets, 1.0, false).log_probs.sum().backward();
  return peak_mb() - held - static_cast<double>(weight.nbytes()) / 1e6;
}

void log_prob_memory(benchmark::State& state) {
  at::set_num_threads(1);
  for (auto _ : state) {
    // The large one first: what it leaves in the process can only make the small one look smaller.
    const double large = log_prob_mb(49152), small = log_prob_mb(512);
    state.counters["MB_vocabulary_49152"] = large;
    state.counters["MB_vocabulary_512"] = small;
    state.counters["value"] = large - small;
  }
}

// --- real tokens

rlhf::Completions demonstrations(const Shape& shape, const std::vector<int64_t>& lengths) {
  rlhf::Generator generator(2);
  std::vector<Row> rows;
  for (int64_t length : lengths) {
    Row row = prompt_rows(shape, 1, length / 4, Ends::full, generator).at(0);
    row.responses = {
        prompt_rows(shape, 1, length - length / 4, Ends::full, generator).at(0).prompt};
    rows.push_back(std::move(row));
  }
  return completions_of(rows);
}

/// A step of supervised fine-tuning on 32 demonstrations, four of each length from 16, 32, .. 128,
/// over an eighth of what eight steps on 32 of equal length take, one of each length.
void mixed_lengths(benchmark::State& state, const char* size, int pairs) {
  at::set_num_threads(1);
  std::vector<int64_t> lengths;
  std::vector<rlhf::Completions> equal;
  for (int64_t length = 16; length <= 128; length += 16) {
    lengths.insert(lengths.end(), 4, length);
    equal.push_back(demonstrations(shape(size), std::vector<int64_t>(batch_rows, length)));
  }
  const auto mixed = demonstrations(shape(size), lengths);
  rlhf::Generator generator(1);
  rlhf::CausalLM model(shape(size).config, generator);
  rlhf::SftTrainer trainer{model};
  const auto each = [&] {
    for (const auto& batch : equal) trainer.step(batch);
  };
  for (auto _ : state) {
    const auto count = static_cast<double>(equal.size());
    state.counters["value"] = count * ratio_of([&] { trainer.step(mixed); }, each, pairs);
  }
}

/// A step on 128 demonstrations of mixed lengths over four on a quarter of them each.
void four_times_the_tokens(benchmark::State& state, const char* size, int pairs) {
  at::set_num_threads(1);
  rlhf::Generator generator(1);
  const auto rows = ragged_rows(shape(size), 4 * batch_rows, 1, generator);
  const auto whole = completions_of(rows);
  std::vector<rlhf::Completions> quarters;
  for (Batches batches(rows, batch_rows); quarters.size() < 4;) {
    quarters.push_back(completions_of(batches.next()));
  }
  rlhf::CausalLM model(shape(size).config, generator);
  rlhf::SftTrainer trainer{model};
  const auto each = [&] {
    for (const auto& batch : quarters) trainer.step(batch);
  };
  for (auto _ : state) {
    state.counters["value"] = ratio_of([&] { trainer.step(whole); }, each, pairs);
  }
}

// --- responses of unequal length

/// Ending, and when each of its steps began.
class Timed : public Ending {
 public:
  using Ending::Ending;
  rlhf::Tensor step(State& state, const rlhf::Tensor& tokens) {
    begins.push_back(processor_seconds());
    return Ending::step(state, tokens);
  }
  std::vector<double> begins;
};

/// Seconds that each step of sampling took, the drawing of its tokens included; the first entry is
/// the reading of the prompts.
std::vector<double> step_seconds(rlhf::CausalLM& model, const rlhf::Completions& prompts,
                                 const std::vector<int64_t>& lengths) {
  rlhf::Generator generator(1);
  Timed decoder(model);
  decoder.end_after(lengths);
  double last = processor_seconds();
  rlhf::rollout::sample(
      decoder, prompts,
      {.max_response_tokens = std::ranges::max(lengths), .end_tokens = {end_token}}, generator);
  decoder.begins.push_back(processor_seconds());
  std::vector<double> seconds;
  for (const double begin : decoder.begins) seconds.push_back(begin - std::exchange(last, begin));
  return seconds;
}

/// 256 prompts whose responses have 1 .. 512 tokens, against the sum of their tokens' cost: a
/// token's cost is its 256th part of the step at its place, when all 256 responses are 512 tokens
/// long.
void ragged_generation(benchmark::State& state, const char* size) {
  at::set_num_threads(1);
  constexpr int64_t rows = 256, longest = 512;
  rlhf::Generator generator(1);
  rlhf::CausalLM model(shape(size).config, generator);
  const auto prompts =
      completions_of(prompt_rows(shape(size), rows, prompt_tokens, Ends::full, generator));
  std::vector<int64_t> lengths;
  for (int64_t row = 0; row < rows; ++row) lengths.push_back(1 + generator.below(longest));
  for (auto _ : state) {
    const auto full = step_seconds(model, prompts, std::vector<int64_t>(rows, longest));
    const auto ragged = step_seconds(model, prompts, lengths);
    double sum = full.at(0), took = 0;
    for (int64_t length : lengths) {
      for (int64_t i = 1; i <= length; ++i) sum += full.at(static_cast<size_t>(i)) / rows;
    }
    for (double seconds : ragged) took += seconds;
    state.counters["value"] = took / sum;
  }
}

// --- threads

/// What a second thread gains a job over what it gains the plain matrix product, taken in turns
/// before it and after it.
void two_threads(benchmark::State& state, const JobKind& kind, const char* size) {
  const auto rows = kind.draw(shape(size), kind.rows_a_step);
  const auto job = kind.start({.shape = shape(size), .rows = rows});
  const rlhf::Tensor a = torch::rand({2048, 2048}), b = torch::rand({2048, 2048});
  rlhf::Tensor c = torch::empty({2048, 2048});
  const auto gain = [](const std::function<void()>& work, int pairs) {
    const auto on = [&](int threads) {
      return [&work, threads] {
        at::set_num_threads(threads);
        work();
      };
    };
    return ratio_of(on(1), on(2), pairs, wall_seconds);
  };
  const auto product = [&] { at::mm_out(c, a, b); };
  const int pairs = std::string_view(size) == "tiny" ? 15 : 5;  // of small, PPO takes seconds
  for (auto _ : state) {
    const double before = gain(product, 5), gained = gain([&] { job->step(); }, pairs);
    const double plain = (before + gain(product, 5)) / 2;
    state.counters["gain"] = gained;
    state.counters["gain_of_the_product"] = plain;
    state.counters["value"] = gained / plain;
  }
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& work) {
  benchmark::RegisterBenchmark(name.c_str(), work)->Iterations(1)->UseRealTime();
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  add("log_prob_memory/tiny", log_prob_memory);  // first, while the process is small
  add("ragged_generation/tiny", [](benchmark::State& state) { ragged_generation(state, "tiny"); });
  for (const char* size : {"tiny", "small"}) {
    const std::string end = std::string("/") + size;
    const int pairs = std::string_view(size) == "tiny" ? 7 : 3;
    add("mixed_lengths" + end, [=](auto& state) { mixed_lengths(state, size, pairs); });
    add("four_times_the_tokens" + end,
        [=](auto& state) { four_times_the_tokens(state, size, pairs); });
    for (const char* job : {"generate", "sft", "reward", "ranking6", "ppo"}) {
      add(std::string("two_threads_") + job + end,
          [=](auto& state) { two_threads(state, job_kind(job), size); });
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
