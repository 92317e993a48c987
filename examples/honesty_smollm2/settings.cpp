#include "settings.hpp"

namespace honesty_smollm2 {

Settings Settings::quick() {
  Settings s;
  s.splits.validation = {20, 20, 20};
  s.splits.test = {50, 50, 50};
  s.reward.questions = {60, 100, 120};
  s.reinforcement.steps = 14;
  s.reinforcement.prompts = {32, 32, 32};
  return s;
}

}  // namespace honesty_smollm2
