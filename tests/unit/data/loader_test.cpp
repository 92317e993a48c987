#include "rlhf/data/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ranges>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

static_assert(std::ranges::input_range<Loader<Completions>>);

using Ids = std::vector<int64_t>;

/// Row i: a prompt of i + 1 tokens.
Completions rows_of(int64_t count) {
  std::vector<Ids> prompts;
  for (int64_t i = 0; i < count; ++i) prompts.emplace_back(static_cast<size_t>(i + 1), i);
  return completions_from(prompts);
}

Ids ids_of(const Completions& batch) {
  return int64_vector(*batch.ids);
}

std::vector<Ids> one_epoch(Loader<Completions>& loader) {
  std::vector<Ids> batches;
  for (auto& batch : loader) batches.push_back(ids_of(batch));
  return batches;
}

Ids joined(const std::vector<Ids>& batches) {
  Ids all;
  for (const Ids& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

TEST(Loader, GivesEachRowOnceAnEpoch) {
  Loader loader{rows_of(5), LoaderOptions{.batch_size = 2}};
  const auto batches = one_epoch(loader);
  ASSERT_THAT(batches, ElementsAre(SizeIs(2), SizeIs(2), SizeIs(1)));
  EXPECT_THAT(joined(batches), UnorderedElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(loader.epoch(), 1);
}

TEST(Loader, DropsTheLastBatchIfAsked) {
  Loader loader{rows_of(5), LoaderOptions{.batch_size = 2, .last_batch = LastBatch::drop}};
  EXPECT_EQ(loader.batches_left(), 2);
  EXPECT_THAT(one_epoch(loader), ElementsAre(SizeIs(2), SizeIs(2)));
  EXPECT_EQ(loader.state(), (LoaderState{.epoch = 1}));
}

TEST(Loader, EachEpochHasAnOrderOfItsOwn) {
  Loader loader{rows_of(20), LoaderOptions{.batch_size = 20, .seed = 3}};
  const Ids first = ids_of(loader.next()), second = ids_of(loader.next());
  EXPECT_NE(first, second);
  Loader other_seed{rows_of(20), LoaderOptions{.batch_size = 20, .seed = 4}};
  EXPECT_NE(ids_of(other_seed.next()), first);
}

TEST(Loader, AnEpochsOrderDoesNotDependOnBatchSizeOrOnEpochsBefore) {
  Loader by_three{rows_of(20), LoaderOptions{.batch_size = 3, .seed = 3}};
  one_epoch(by_three);
  Loader second_epoch{
      rows_of(20), LoaderOptions{.batch_size = 7, .seed = 3}, {.seed = 3, .epoch = 1}};
  EXPECT_EQ(joined(one_epoch(by_three)), joined(one_epoch(second_epoch)));
}

TEST(Loader, KeepsTheGivenOrderIfAsked) {
  Loader loader{rows_of(3), LoaderOptions{.batch_size = 2, .shuffle = Shuffle::never}};
  EXPECT_THAT(one_epoch(loader), ElementsAre(ElementsAre(0, 1), ElementsAre(2)));
  EXPECT_THAT(one_epoch(loader), ElementsAre(ElementsAre(0, 1), ElementsAre(2)));
}

TEST(Loader, BatchesByTokenBudget) {
  Loader loader{rows_of(5), LoaderOptions{.token_budget = 6, .shuffle = Shuffle::never}};
  EXPECT_THAT(one_epoch(loader), ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3), ElementsAre(4)));
}

TEST(Loader, ALoopsStateIsThatAfterItsBatch) {
  Loader loader{rows_of(4), LoaderOptions{.batch_size = 2}};
  std::vector<LoaderState> states;
  for ([[maybe_unused]] auto& batch : loader) states.push_back(loader.state());
  EXPECT_THAT(states, ElementsAre(LoaderState{.position = 2}, LoaderState{.epoch = 1}));
}

TEST(Loader, ALoopLeftEarlyGoesOnWithTheNextBatch) {
  Loader loader{rows_of(6), LoaderOptions{.batch_size = 2, .shuffle = Shuffle::never}};
  for ([[maybe_unused]] auto& batch : loader) break;
  EXPECT_THAT(one_epoch(loader), ElementsAre(ElementsAre(2, 3), ElementsAre(4, 5)));
}

TEST(Loader, KeepsTheIdsOfItsRows) {
  Completions rows = rows_of(2);
  rows.ids = int64_tensor({70, 70});
  Loader loader{rows, LoaderOptions{.batch_size = 1}};
  EXPECT_THAT(ids_of(loader.next()), Each(70));
}

TEST(Loader, GivesRankingsByWholeGroups) {
  const Rankings rankings{
      .completions = completions_from({{1}, {1}, {2}, {2}, {2}}, {{3, 3}, {4}, {5}, {6}, {7}}),
      .group_sizes = int64_tensor({2, 3}),
      .ranks = int64_tensor({0, 1, 0, 0, 1})};
  Loader loader{rankings, LoaderOptions{.token_budget = 6, .shuffle = Shuffle::never}};
  EXPECT_EQ(loader.batches_left(), 2) << "groups of 5 and 6 tokens do not share a budget of 6";
  const Rankings first = loader.next(), second = loader.next();
  first.validate();
  EXPECT_THAT(int64_vector(*first.completions.ids), ElementsAre(0, 0));
  EXPECT_THAT(int64_vector(*second.completions.ids), ElementsAre(1, 1, 1));
  EXPECT_THAT(int64_vector(*second.ranks), ElementsAre(0, 0, 1));
}

TEST(Loader, NamesWhatCannotWork) {
  const auto making = [](LoaderOptions options, LoaderState state = {}) {
    return [=] { Loader(rows_of(4), options, state); };
  };
  EXPECT_THAT(error_of(making({})),
              HasSubstr("either batch_size or token_budget above 0, got neither"));
  EXPECT_THAT(error_of(making({.batch_size = 1, .token_budget = 1})), HasSubstr("got both"));
  EXPECT_THAT(error_of(making({.batch_size = -1})),
              HasSubstr("LoaderOptions::batch_size: expected >= 0, got -1"));
  EXPECT_THAT(error_of(making({.batch_size = 1, .shuffle = Shuffle{2}})),
              HasSubstr("LoaderOptions::shuffle: expected each_epoch or never, got 2"));
  EXPECT_THAT(error_of(making({.batch_size = 1, .last_batch = LastBatch{2}})),
              HasSubstr("LoaderOptions::last_batch: expected keep or drop, got 2"));
  EXPECT_THAT(error_of(making({.token_budget = 8, .last_batch = LastBatch::drop})),
              HasSubstr("LoaderOptions::last_batch: expected keep"));
  EXPECT_THAT(error_of(making({.batch_size = 5, .last_batch = LastBatch::drop})),
              HasSubstr("expected <= 4 (rows), got 5"));
  EXPECT_THAT(error_of(making({.batch_size = 1, .seed = 2}, {.seed = 1})),
              HasSubstr("LoaderState::seed: expected 2 (LoaderOptions::seed), got 1"));
  EXPECT_THAT(error_of(making({.batch_size = 1}, {.position = 4})),
              HasSubstr("LoaderState::position: expected >= 0 and < 4 (rows), got 4"));
  EXPECT_THAT(error_of(making({.batch_size = 1}, {.epoch = -1})),
              HasSubstr("LoaderState::epoch: expected >= 0, got -1"));
  EXPECT_THAT(error_of([] { Loader(completions_from({}), LoaderOptions{.batch_size = 1}); }),
              HasSubstr("empty data: no rows to load"));
}

}  // namespace
}  // namespace rlhf
