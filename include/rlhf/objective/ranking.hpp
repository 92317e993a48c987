/// The loss of a reward model on K-wise rankings.
#pragma once

#include <cstdint>
#include <optional>

#include "rlhf/core/tensor.hpp"

namespace rlhf::objective {

/// Scalars; the loss carries the gradient, the others are metrics without one.
struct RankingLoss {
  Tensor loss;
  Tensor accuracy;  ///< share of pairs ranked rightly; a pair of equal scores counts one half
  Tensor margin;    ///< mean over pairs of better - worse
};

/// All pairs of each group as one batch element: the mean over groups (those with a pair) of
///
///   mean over the group's pairs of -log sigmoid(better - worse - margin)
///
/// @param scores       float32 or float64 [sum K], group after group
/// @param group_sizes  int64 [G], each >= 2
/// @param ranks        int64 [sum K], lower is better, equal ranks of a group make no pair; absent:
/// the
///                     responses stand best first
/// @param margin       how far the better must lead before its loss falls below log 2
/// @param denominator  groups; given the whole batch's rankable_groups(), loss and metrics of its
///                     microbatches add up. The metrics are then means over groups, like the loss,
///                     and no longer over pairs
/// @throws Error       if sizes do not add up, or no group has a pair and no denominator is given
/// Source: Ouyang et al. 2022, arXiv 2203.02155, eq. 1.
RankingLoss ranking_loss(const Tensor& scores, const Tensor& group_sizes,
                         const std::optional<Tensor>& ranks = {}, double margin = 0.0,
                         std::optional<double> denominator = {});

/// How many groups have a pair: the denominator of a batch of rankings.
/// @throws Error if sizes and ranks do not fit
int64_t rankable_groups(const Tensor& group_sizes, const std::optional<Tensor>& ranks = {});

}  // namespace rlhf::objective
