/// How often a reward ranks two responses as a person did.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "rlhf/core/completions.hpp"

namespace rlhf::evaluation {

struct PairAccuracy {
  int64_t pairs = 0;
  double right = 0.0;  ///< pairs whose better response scores higher; equal scores count one half

  /// 0 where there are no pairs.
  double accuracy() const { return pairs == 0 ? 0.0 : right / static_cast<double>(pairs); }
};

struct RankingAccuracy {
  PairAccuracy all;
  std::map<std::string, PairAccuracy>
      kinds;  ///< "better>worse" by the labels, for instance "right>wrong"
};

/// Over all pairs of all groups; every pair counts the same.
/// @param scores    floating [sum K], one a response
/// @param rankings  best first within a group, or by `ranks`: equal ranks make no pair
/// @param labels    a word for each response ("right", "abstains"), [sum K]; empty: no kinds
/// @throws Error    if the sizes do not fit, or a score is NaN, naming the response
RankingAccuracy pair_accuracy(const Tensor& scores, const Rankings& rankings,
                              std::span<const std::string> labels = {});

}  // namespace rlhf::evaluation
