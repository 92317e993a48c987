#include "settings.hpp"

namespace honesty {

Settings Settings::quick() {
  Settings s;
  s.splits = {.demonstrations = {.known = 50, .unknown = 100},
              .practice = {.known = 150, .unknown = 250},
              .validation = {.known = 60, .unknown = 60},
              .test = {.known = 100, .unknown = 100}};
  s.pretraining.batch = 16;
  s.sft.learning_rate = 1e-3;
  s.sft.abstention_rate = 0.2;  // of 150 demonstrations, or it is too rare to be sampled
  s.reward = {.known = 150, .unknown = 250, .made_up = 1500};
  s.reinforcement.steps = 60;
  s.reinforcement.made_up = 1000;
  s.reinforcement.episodes = 128;
  s.reinforcement.ppo.policy_optimizer.learning_rate = 1e-3;
  return s;
}

}  // namespace honesty
