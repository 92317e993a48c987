// Reward modelling: 32 pairs, 16 .. 128 tokens a side.
#include "rlhf/trainer/reward.hpp"

#include "rlhf/reward/reward_model.hpp"
#include "shapes.hpp"

namespace bench {
namespace {

void reward(benchmark::State& state) {
  const Shape& s = shape(state.range(0));
  rlhf::Generator generator(1);
  rlhf::RewardModel model(rlhf::CausalLM(s.config, generator), generator);
  rlhf::RewardTrainer trainer{model, {.optimizer = {.learning_rate = 1e-4}}};
  const rlhf::Completions sides = ragged_batch(s, 64, 32, 96, generator);
  const rlhf::Rankings pairs{.completions = sides,
                             .group_sizes = torch::full({32}, 2, torch::kInt64)};
  measure(state, "pairs/s", 32, 6 * s.layer_weights() * static_cast<double>(sides.token_count()),
          [&] { trainer.step(pairs); });
}
BENCHMARK(reward)->Apply(shapes_and_threads);

}  // namespace
}  // namespace bench
