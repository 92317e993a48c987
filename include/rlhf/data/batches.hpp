/// Batches by token budget: which rows go together through a model that does not pad.
#pragma once

#include <vector>

#include "rlhf/core/completions.hpp"

namespace rlhf::data {

/// int64 [G] on the CPU: the tokens of each group, its K prompts and responses together.
Tensor token_counts(const Rankings& rankings);

/// In what order rows are put into batches.
enum class RowOrder : uint8_t {
  given,          ///< as they come: the batches end to end are 0 .. B-1
  longest_first,  ///< by falling length, rows of equal length as they come: even batches, and the
                  ///< one that needs most memory comes first
};

/// Splits rows into batches of at most `budget` tokens; each row is in exactly one. A batch is
/// closed when the next row does not fit. A row longer than the budget gets a batch of its own.
///
/// @param lengths  int64 [B] on the CPU, tokens of each row, each >= 0
/// @param budget   tokens a batch; 0: one batch of all
/// @return         row indices, int64 [k] on the CPU each; no batch is empty, no rows give no batch
/// @throws Error   if the lengths are no int64 CPU vector, one is negative, or the budget is
std::vector<Tensor> token_budget_batches(const Tensor& lengths, int64_t budget,
                                         RowOrder order = RowOrder::given);

}  // namespace rlhf::data
