// Whatever the sizes: every row is in one batch, budgets hold, and a loader stopped anywhere goes
// on as if it had never stopped.
#include "rlhf/data/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "rlhf/core/random.hpp"
#include "rlhf/data/batches.hpp"

namespace rlhf {
namespace {

std::vector<int64_t> random_lengths(Generator& generator, int64_t count) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i) lengths.push_back(1 + generator.below(12));
  return lengths;
}

TEST(TokenBudgetBatches, HoldEachRowOnceWithinTheBudgetAndAreFull) {
  Generator generator(1);
  for (int trial = 0; trial < 300; ++trial) {
    const auto lengths = random_lengths(generator, generator.below(30));
    const int64_t budget = 1 + generator.below(20);
    const auto order = trial % 2 == 0 ? data::RowOrder::given : data::RowOrder::longest_first;
    const auto batches = data::token_budget_batches(int64_tensor(lengths), budget, order);
    const auto tokens = [&](int64_t row) { return lengths[static_cast<size_t>(row)]; };

    std::vector<int64_t> seen, totals;
    for (const Tensor& batch : batches) {
      const auto rows = int64_vector(batch);
      ASSERT_FALSE(rows.empty());
      if (!totals.empty()) {
        ASSERT_GT(totals.back() + tokens(rows[0]), budget) << "closed before it was full";
      }
      totals.push_back(0);
      for (int64_t row : rows) totals.back() += tokens(row);
      ASSERT_TRUE(totals.back() <= budget || rows.size() == 1);
      seen.insert(seen.end(), rows.begin(), rows.end());
    }
    if (order == data::RowOrder::longest_first) {
      ASSERT_TRUE(std::is_sorted(seen.begin(), seen.end(), [&](int64_t a, int64_t b) {
        return std::pair(-tokens(a), a) < std::pair(-tokens(b), b);
      }));
    }
    std::sort(seen.begin(), seen.end());
    std::vector<int64_t> all(lengths.size());
    std::iota(all.begin(), all.end(), int64_t{0});
    ASSERT_EQ(seen, all);
  }
}

TEST(Loader, ResumesExactlyFromAnyBatch) {
  Generator generator(2);
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t count = 1 + generator.below(20);
    std::vector<std::vector<int64_t>> prompts;
    for (int64_t length : random_lengths(generator, count))
      prompts.emplace_back(static_cast<size_t>(length), 7);
    const Completions rows = completions_from(prompts);
    LoaderOptions options{.seed = generator.bits()};
    if (trial % 3 == 0) {
      options.token_budget = 1 + generator.below(30);
    } else {
      options.batch_size = 1 + generator.below(count);
      options.last_batch = trial % 3 == 1 ? LastBatch::keep : LastBatch::drop;
    }
    Loader whole{rows, options};
    const int64_t steps = generator.below(15);
    for (int64_t i = 0; i < steps; ++i) whole.next();
    Loader resumed{rows, options, whole.state()};
    for (int i = 0; i < 15; ++i) {
      ASSERT_EQ(whole.state(), resumed.state());
      ASSERT_TRUE(whole.next().ids->equal(*resumed.next().ids));
    }
  }
}

}  // namespace
}  // namespace rlhf
