#include "rlhf/data/batches.hpp"

#include <algorithm>
#include <numeric>

#include "rlhf/core/error.hpp"

namespace rlhf::data {

Tensor token_counts(const Rankings& rankings) {
  std::vector<int64_t> counts;
  const std::vector<int64_t> lengths = int64_vector(rankings.completions.lengths());
  auto next = lengths.begin();
  for (const int64_t size : int64_vector(rankings.group_sizes)) {
    counts.push_back(std::accumulate(next, next + size, int64_t{0}));
    next += size;
  }
  return int64_tensor(counts);
}

std::vector<Tensor> token_budget_batches(const Tensor& lengths, int64_t budget, RowOrder order) {
  require_dtype(lengths, torch::kInt64, "lengths of token_budget_batches");
  require(lengths.dim() == 1 && lengths.is_cpu(), "lengths of token_budget_batches",
          "[B] on the CPU", lengths.sizes());
  require(budget >= 0, "budget of token_budget_batches", ">= 0", budget);
  const std::vector<int64_t> tokens = int64_vector(lengths);
  std::vector<int64_t> rows(tokens.size());
  std::iota(rows.begin(), rows.end(), int64_t{0});
  const auto length_of = [&](int64_t row) { return tokens[static_cast<size_t>(row)]; };
  if (order == RowOrder::longest_first) {
    std::ranges::stable_sort(rows, std::ranges::greater{}, length_of);
  }

  std::vector<Tensor> batches;
  std::vector<int64_t> batch;
  int64_t used = 0;
  for (int64_t row : rows) {
    require(length_of(row) >= 0, "length of a row", ">= 0", length_of(row));
    if (budget > 0 && !batch.empty() && length_of(row) > budget - used) {
      batches.push_back(int64_tensor(batch));
      batch.clear();
      used = 0;
    }
    batch.push_back(row);
    used += length_of(row);
  }
  if (!batch.empty()) batches.push_back(int64_tensor(batch));
  return batches;
}

}  // namespace rlhf::data
