#include "invented_names.hpp"

#include <cctype>

#include "rlhf/core/error.hpp"

namespace honesty_smollm2 {
namespace {

constexpr int64_t most_tries = 10'000;
constexpr size_t shortest = 4, longest = 12;
constexpr double middle_share = 0.4;  // of names that have one

bool is_vowel(char c) {
  return std::string_view("aeiouyAEIOUY").find(c) != std::string_view::npos;
}

}  // namespace

std::vector<std::string> syllables_of(const std::string& name) {
  std::vector<std::string> syllables;
  size_t begin = 0, i = 0;
  while (i < name.size()) {
    while (i < name.size() && !is_vowel(name[i])) ++i;
    while (i < name.size() && is_vowel(name[i])) ++i;
    size_t next = i;
    while (next < name.size() && !is_vowel(name[next])) ++next;
    if (next == name.size()) break;  // no vowel follows: the rest belongs here
    const size_t end = next - i > 1 ? i + 1 : i;
    syllables.push_back(name.substr(begin, end - begin));
    begin = i = end;
  }
  syllables.push_back(name.substr(begin));
  return syllables;
}

InventedNames::InventedNames(const std::vector<std::string>& real)
    : taken_(real.begin(), real.end()) {
  for (const std::string& name : real) {
    if (name.find(' ') != std::string::npos) continue;
    const std::vector<std::string> syllables = syllables_of(name);
    if (syllables.size() < 2) continue;
    beginnings_.push_back(syllables.front());
    middles_.insert(middles_.end(), syllables.begin() + 1, syllables.end() - 1);
    ends_.push_back(syllables.back());
  }
  rlhf::require(!beginnings_.empty(), "names to recombine", "some of two syllables", "none");
  if (middles_.empty()) middles_ = ends_;
}

std::string InventedNames::draw(rlhf::Generator& generator) {
  const auto one_of = [&](const std::vector<std::string>& parts) {
    return parts[static_cast<size_t>(generator.below(std::ssize(parts)))];
  };
  for (int64_t tries = 0; tries < most_tries; ++tries) {
    std::string name = one_of(beginnings_);
    if (generator.uniform() < middle_share) name += one_of(middles_);
    name += one_of(ends_);
    if (name.size() < shortest || name.size() > longest) continue;
    if (taken_.insert(name).second) return name;
  }
  rlhf::fail("InventedNames: the syllables are used up");
}

}  // namespace honesty_smollm2
