#include "rlhf/data/batches.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"

namespace rlhf::data {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Lists = std::vector<std::vector<int64_t>>;

Lists batches_of(const std::vector<int64_t>& lengths, int64_t budget,
                 RowOrder order = RowOrder::given) {
  Lists lists;
  for (const Tensor& rows : token_budget_batches(int64_tensor(lengths), budget, order)) {
    lists.push_back(int64_vector(rows));
  }
  return lists;
}

TEST(TokenBudgetBatches, CloseWhenTheNextRowDoesNotFit) {
  EXPECT_EQ(batches_of({3, 4, 3, 5, 5, 1}, 10), (Lists{{0, 1, 2}, {3, 4}, {5}}));
}

TEST(TokenBudgetBatches, ARowOverTheBudgetGetsABatchOfItsOwn) {
  EXPECT_EQ(batches_of({2, 99, 2, 2}, 4), (Lists{{0}, {1}, {2, 3}}));
}

TEST(TokenBudgetBatches, LongestFirstKeepsEqualRowsInOrder) {
  EXPECT_EQ(batches_of({2, 5, 2, 7, 5}, 10, RowOrder::longest_first), (Lists{{3}, {1, 4}, {0, 2}}));
}

TEST(TokenBudgetBatches, ABudgetOfZeroIsOneBatchOfAll) {
  EXPECT_EQ(batches_of({3, 4, 3}, 0), (Lists{{0, 1, 2}}));
}

TEST(TokenBudgetBatches, NoRowsGiveNoBatch) {
  EXPECT_THAT(batches_of({}, 0), IsEmpty());
  EXPECT_THAT(batches_of({}, 8), IsEmpty());
}

TEST(TokenBudgetBatches, NameWhatIsWrong) {
  EXPECT_THAT(error_of([] { batches_of({1}, -1); }),
              HasSubstr("budget of token_budget_batches: expected >= 0, got -1"));
  EXPECT_THAT(error_of([] {
                batches_of({1, -2}, 4);
              }),
              HasSubstr("length of a row: expected >= 0, got -2"));
  EXPECT_THAT(error_of([] { token_budget_batches(torch::ones({2}), 4); }),
              HasSubstr("lengths of token_budget_batches: expected Long, got Float"));
  EXPECT_THAT(error_of([] {
                token_budget_batches(int64_tensor({1, 2}).view({1, 2}), 4);
              }),
              HasSubstr("expected [B] on the CPU, got [1, 2]"));
}

}  // namespace
}  // namespace rlhf::data
