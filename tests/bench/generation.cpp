// Sampling: 32 prompts of 16 tokens, 48 more each, temperature 1, nothing ends a response.
#include "rlhf/rollout/sample.hpp"
#include "shapes.hpp"

namespace bench {
namespace {

void generation(benchmark::State& state) {
  const Shape& s = shape(state.range(0));
  rlhf::Generator generator(1);
  const rlhf::CausalLM model(s.config, generator);
  const rlhf::Completions prompts = random_batch(s, 32, 16, 0, generator);
  const double made = 32 * 48;
  measure(state, "tokens/s", made, 2 * (s.layer_weights() * 32 * 63 + s.output_weights() * made),
          [&] {
            benchmark::DoNotOptimize(
                rlhf::rollout::sample(model, prompts, {.max_response_tokens = 48}, generator));
          });
}
BENCHMARK(generation)->Apply(shapes_and_threads);

}  // namespace
}  // namespace bench
