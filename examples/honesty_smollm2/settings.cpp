#include "settings.hpp"

namespace honesty_smollm2 {

Settings Settings::quick() {
  Settings s;
  s.splits.practice = {210, 200, 200, 500};
  s.splits.validation = {30, 0, 20, 20};
  s.splits.test = {60, 0, 40, 40};
  s.reward.known = s.reward.unknown = s.reward.invented = 80;
  s.reinforcement.steps = 30;
  s.reinforcement.known = 24;
  s.reinforcement.unknown = s.reinforcement.invented = 12;
  return s;
}

}  // namespace honesty_smollm2
