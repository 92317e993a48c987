// Supervised fine-tuning: 32 demonstrations, 16 .. 128 tokens long, a quarter of them prompt.
#include "rlhf/trainer/sft.hpp"
#include "shapes.hpp"

namespace bench {
namespace {

void sft(benchmark::State& state) {
  const Shape& s = shape(state.range(0));
  rlhf::Generator generator(1);
  rlhf::CausalLM model(s.config, generator);
  rlhf::SftTrainer trainer{model, {.optimizer = {.learning_rate = 1e-4}}};
  const rlhf::Completions batch = ragged_batch(s, 32, 32, 96, generator);
  const auto tokens = static_cast<double>(batch.token_count());
  const double answers = batch.response_lengths.sum().item<double>();
  measure(state, "tokens/s", tokens,
          6 * (s.layer_weights() * tokens + s.output_weights() * answers),
          [&] { trainer.step(batch); });
}
BENCHMARK(sft)->Apply(shapes_and_threads);

}  // namespace
}  // namespace bench
