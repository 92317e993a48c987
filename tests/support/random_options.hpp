/// Options of the trainers, drawn from all that may be chosen, a function of the generator alone.
#pragma once

#include "rlhf/core/random.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "rlhf/optimizer/schedule.hpp"
#include "rlhf/trainer/ppo.hpp"

namespace rlhf::test {

/// One of the numbers.
template <class T>
T one_of(Generator& generator, std::initializer_list<T> values) {
  return values.begin()[generator.below(std::ssize(values))];
}

inline AdamWOptions random_adamw(Generator& generator) {
  return {.learning_rate = one_of(generator, {1e-4, 1e-3, 3e-3}),
          .beta1 = one_of(generator, {0.0, 0.9}),
          .beta2 = one_of(generator, {0.95, 0.999}),
          .epsilon = 1e-5,
          .weight_decay = one_of(generator, {0.0, 0.1}),
          .max_gradient_norm = one_of(generator, {0.0, 0.5, 1.0})};
}

inline Schedule random_schedule(Generator& generator) {
  using enum Schedule::Shape;
  return {.shape = one_of(generator, {constant, linear, cosine}),
          .warmup_steps = generator.below(3),
          .total_steps = 20,
          .final_fraction = one_of(generator, {0.0, 0.1})};
}

inline PpoOptions random_ppo(Generator& generator) {
  using enum objective::KlEstimator;
  PpoOptions options{.sampling = {.temperature = one_of(generator, {0.7, 1.0}),
                                  .max_response_tokens = 1 + generator.below(8),
                                  .end_tokens = {0},
                                  .samples_per_prompt = 1 + generator.below(2)},
                     .kl = {.coefficient = one_of(generator, {0.0, 0.05}),
                            .estimator = one_of(generator, {k1, k2, k3}),
                            .target = one_of(generator, {0.0, 0.5}),
                            .horizon = 100},
                     .gae = {.gamma = one_of(generator, {1.0, 0.9}),
                             .lambda = one_of(generator, {0.0, 0.95, 1.0})},
                     .clip = {.dual = one_of(generator, {0.0, 3.0})},
                     .value_coefficient = one_of(generator, {0.1, 1.0}),
                     .entropy_coefficient = one_of(generator, {0.0, 0.01}),
                     .whiten_rewards = generator.below(2) == 0,
                     .whiten_advantages = generator.below(2) == 0,
                     .epochs = 1 + generator.below(2),
                     .minibatches = 1 + generator.below(2),
                     .policy_optimizer = random_adamw(generator),
                     .critic_optimizer = random_adamw(generator),
                     .policy_schedule = random_schedule(generator),
                     .critic_schedule = random_schedule(generator)};
  // A coefficient that adapts is one of more than 0.
  if (options.kl.coefficient == 0) options.kl.target = 0;
  return options;
}

}  // namespace rlhf::test
