/// Names of places that do not exist.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "rlhf/core/random.hpp"

namespace honesty_smollm2 {

/// Recombines syllables of real names: a beginning, sometimes a middle and an end, each from
/// another name. They look and are spelt like names of places, and none is among the real ones.
class InventedNames {
 public:
  /// @throws rlhf::Error where no name has two syllables
  explicit InventedNames(const std::vector<std::string>& real);

  /// One that was not drawn before.
  /// @throws rlhf::Error when the syllables are used up
  std::string draw(rlhf::Generator& generator);

 private:
  std::vector<std::string> beginnings_, middles_, ends_;  // repeats kept: frequent ones come often
  std::set<std::string> taken_;                           // real ones, and those drawn
};

/// "Ka", "zan" of "Kazan": a consonant between vowels opens the next syllable, of two or more all
/// but the first do.
std::vector<std::string> syllables_of(const std::string& name);

}  // namespace honesty_smollm2
