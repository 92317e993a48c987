// PPO: 32 episodes of 16 + 48 tokens, four models, 4 epochs of 4 minibatches.
#include "rlhf/trainer/ppo.hpp"

#include "rlhf/model/frozen.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "shapes.hpp"

namespace bench {
namespace {

void ppo(benchmark::State& state) {
  const Shape& s = shape(state.range(0));
  rlhf::Generator generator(1);
  rlhf::CausalLM policy(s.config, generator);
  rlhf::ValueModel critic(policy, generator);
  rlhf::RewardModel reward(policy, generator);
  rlhf::Frozen reference{policy.clone()};
  rlhf::PpoTrainer trainer{policy,
                           critic,
                           reward,
                           reference,
                           generator,
                           {.sampling = {.max_response_tokens = 48},
                            .policy_optimizer = {.learning_rate = 1e-5},
                            .critic_optimizer = {.learning_rate = 1e-5}}};
  const rlhf::Completions prompts = random_batch(s, 32, 16, 0, generator);
  // Sampling, four scoring passes, then policy and critic trained on every token four times.
  const double layers = s.layer_weights() * 32 * 64, outputs = s.output_weights() * 32 * 48;
  measure(state, "episodes/s", 32, 2 * (5 * layers + 3 * outputs) + 6 * 4 * (2 * layers + outputs),
          [&] { trainer.step(prompts); });
}
BENCHMARK(ppo)->Apply(shapes_and_threads);

}  // namespace
}  // namespace bench
