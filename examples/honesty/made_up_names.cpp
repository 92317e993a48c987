#include "made_up_names.hpp"

#include "rlhf/core/error.hpp"

namespace honesty {
namespace {

constexpr size_t context = 3;
constexpr size_t shortest = 3;
constexpr size_t longest = 14;
constexpr int64_t most_tries = 10'000;  // one in two or three succeeds on the table
const std::string start(context, '^');
constexpr char stop = '$';

}  // namespace

MadeUpNames::MadeUpNames(const std::vector<Fact>& facts) {
  rlhf::require(!facts.empty(), "MadeUpNames", "real names to learn from", "none");
  for (const Fact& fact : facts) {
    real_.insert(fact.city);
    const std::string letters = start + fact.city + stop;
    for (size_t at = context; at < letters.size(); ++at)
      followers_[letters.substr(at - context, context)] += letters[at];
  }
}

std::string MadeUpNames::draw(rlhf::Generator& generator) const {
  for (int64_t tries = 0; tries < most_tries; ++tries) {
    std::string letters = start;
    while (letters.back() != stop && letters.size() <= context + longest) {
      const std::string& next = followers_.at(letters.substr(letters.size() - context));
      letters += next[static_cast<size_t>(generator.below(static_cast<int64_t>(next.size())))];
    }
    if (letters.back() != stop) continue;
    const std::string name = letters.substr(context, letters.size() - context - 1);
    if (name.size() >= shortest && !real_.contains(name)) return name;
  }
  rlhf::fail("MadeUpNames: these names are too few or too much alike to make new ones of");
}

}  // namespace honesty
