/// The memory that a run will need, told before it begins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/tensor.hpp"
#include "rlhf/model/memory.hpp"

namespace instructgpt {

/// Parts of all models of a run. These learn one after the other: all have gradients, but what a
/// pass leaves for its way back is one model's at a time.
class MemoryTable {
 public:
  /// What stays all the time.
  void add(const std::string& name, int64_t bytes);
  void add(const std::string& model, const rlhf::model::MemoryEstimate& estimate);
  int64_t total() const;
  /// @param limit  what there is; none: nobody knows
  std::string text(std::optional<int64_t> limit) const;
  /// Prints the table.
  /// @param gib  of memory that may be taken; 0: what the machine has
  /// @throws rlhf::Error with the table where more is needed
  void require_fits(double gib) const;

 private:
  std::vector<rlhf::model::MemoryPart> lasting_, gradients_;
  rlhf::model::MemoryEstimate largest_;  ///< of what models have in turn; gradients: of all
};

/// What the memory of a pass depends on.
struct LargestPass {
  int64_t tokens = 0, sequences = 0;
  int64_t passes = 1;  ///< in a step
};
/// Of steps on any `rows` rows, in parts of `micro_batch_tokens` (0: whole) that cut no row.
/// @param lengths  int64 [rows of the data], tokens of each
LargestPass largest_pass(const rlhf::Tensor& lengths, int64_t rows, int64_t micro_batch_tokens);

/// The most tokens that any `rows` rows of these lengths have together.
int64_t longest_together(const rlhf::Tensor& lengths, int64_t rows);

/// The smaller of what the system says is free and what its control group may take; none where
/// neither is known.
std::optional<int64_t> available_memory();

}  // namespace instructgpt
