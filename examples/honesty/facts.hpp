/// What can be looked up: in which country a city lies.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rlhf/core/random.hpp"

namespace honesty {

struct Fact {
  std::string city;
  std::string country;
  int64_t population = 0;
};

/// Reads the table: a header, then "city<tab>country<tab>population" a line.
/// @throws rlhf::Error "path:line: ..." on a line of other fields, a city named twice, an empty
/// table
std::vector<Fact> read_facts(const std::filesystem::path& table);

/// Every country once, in alphabetical order.
std::vector<std::string> countries_of(const std::vector<Fact>& facts);

/// Facts of one purpose, told apart by what the language model may have read.
struct Facts {
  std::vector<Fact> known;    ///< the pretraining corpus states them
  std::vector<Fact> unknown;  ///< no corpus holds them
};

/// How many facts of each kind a purpose gets.
struct FactCounts {
  int64_t known = 0;
  int64_t unknown = 0;
};

/// Who sees which fact. A city is in one place only.
struct Splits {
  Facts demonstrations;  ///< questions of SFT, asked again in PPO
  Facts practice;        ///< questions of the reward model and PPO
  Facts validation;      ///< chooses: the confidence threshold, when to stop
  Facts test;            ///< is looked at once, at the end

  /// The known facts of all four.
  std::vector<Fact> known() const;
};

struct SplitCounts {
  FactCounts demonstrations{.known = 200, .unknown = 200};
  FactCounts practice{.known = 1000, .unknown = 1500};
  FactCounts validation{.known = 150, .unknown = 150};
  FactCounts test{.known = 300, .unknown = 300};
};

/// Deals shuffled facts out. @throws rlhf::Error if there are too few
Splits deal(const std::vector<Fact>& facts, const SplitCounts& counts, rlhf::Generator& generator);

}  // namespace honesty
