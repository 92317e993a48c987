#include "settings.hpp"

namespace honesty {

Settings Settings::quick() {
  Settings s;
  s.splits = {.demonstrations = {.known = 100, .unknown = 100},
              .practice = {.known = 300, .unknown = 400},
              .validation = {.known = 75, .unknown = 75},
              .test = {.known = 100, .unknown = 100}};
  s.reward.known = 300;
  s.reward.unknown = 400;
  s.reward.made_up = 1500;
  s.reinforcement.steps = 20;
  return s;
}

}  // namespace honesty
