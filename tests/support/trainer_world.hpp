/// Small models and data that the tests of the trainers share.
#pragma once

#include <algorithm>
#include <vector>

#include "rlhf/model/frozen.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "support/small_runs.hpp"

namespace rlhf::test {

inline Completions demonstrations() {
  return completions_from({{1, 2}, {3}, {4, 5, 6}, {7}}, {{8, 9, 0}, {9, 0}, {8, 8, 8, 0}, {0}});
}

inline Rankings rankings() {
  return {.completions = completions_from({{1, 2}, {1, 2}, {1, 2}, {3}, {3}},
                                          {{8, 0}, {9, 0}, {5, 5, 0}, {8, 0}, {9, 9, 9, 0}}),
          .group_sizes = int64_tensor({3, 2})};
}

/// Largest difference between the parameters of two models of one shape.
template <class M>
double distance(const M& a, const M& b) {
  double most = 0;
  const auto x = a.named_parameters(), y = b.named_parameters();
  for (size_t i = 0; i < x.size(); ++i) {
    most = std::max(most, (x[i].second - y[i].second).abs().max().template item<double>());
  }
  return most;
}

struct PpoWorld {
  Generator generator{5};
  CausalLM policy = tiny_model();
  Frozen<CausalLM> reference{policy.clone()};
  ValueModel critic{policy, generator};
  Tensor (*reward)(const Rollout&) = share_of_eights;
  Completions prompts = completions_from(
      {{1, 2}, {3}, {4, 5, 6}, {7}, {1}, {2}, {3, 3}, {5}, {6, 1}, {2, 2, 2}, {9}, {4}});

  static PpoOptions options() {
    return {.sampling = {.temperature = 0.9, .max_response_tokens = 6, .end_tokens = {0}},
            .kl = {.coefficient = 0.01},
            .value_coefficient = 1.0,
            .epochs = 2,
            .minibatches = 2,
            .policy_optimizer = {.learning_rate = 1e-2},
            .critic_optimizer = {.learning_rate = 1e-2}};
  }
};

}  // namespace rlhf::test
