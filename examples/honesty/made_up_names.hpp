/// Names of places that do not exist.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "facts.hpp"

namespace honesty {

/// Draws names letter by letter, each as it follows three others somewhere in a real name: they
/// look and are spelt like the table's, there is no end of them, and none of them is in the table.
/// So "X is in Y" can be stated of a made-up X with any Y: only a reader of that text can answer.
class MadeUpNames {
 public:
  explicit MadeUpNames(const std::vector<Fact>& facts);

  std::string draw(rlhf::Generator& generator) const;

 private:
  std::map<std::string, std::string, std::less<>> followers_;  // of three letters, repeats kept
  std::set<std::string> real_;
};

}  // namespace honesty
