#include "rlhf/reward/shaping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "rlhf/core/error.hpp"
#include "rlhf/reward/ensemble.hpp"
#include "support/error_of.hpp"
#include "support/letters.hpp"

namespace rlhf::reward {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

/// A reward that gives these scores.
auto scores_are(std::vector<float> scores) {
  return [scores = std::move(scores)](const Rollout&) {
    return torch::tensor(scores, torch::kFloat32);
  };
}

const Rollout ended_cut_ended = rollout_of({{"p", "a."}, {"p", "abc"}, {"p", "abcd."}});

template <Reward R>
std::vector<float> scores_of(R reward, const Rollout& rollout = ended_cut_ended) {
  const Tensor scores = reward(rollout);
  EXPECT_EQ(scores.scalar_type(), torch::kFloat32);
  return {scores.const_data_ptr<float>(), scores.const_data_ptr<float>() + scores.numel()};
}

TEST(Shaping, ClipHoldsScoresWithinTheBounds) {
  EXPECT_THAT(scores_of(clip(scores_are({-7, 2, 9}), -5, 5)), ElementsAre(-5, 2, 5));
}

TEST(Shaping, ScaleAndShiftAreAffine) {
  EXPECT_THAT(scores_of(scale(scores_are({-1, 0, 2}), 3)), ElementsAre(-3, 0, 6));
  EXPECT_THAT(scores_of(shift(scores_are({-1, 0, 2}), 3)), ElementsAre(2, 3, 5));
}

TEST(Shaping, AMissingEosReplacesTheScoreOrTakesFromIt) {
  EXPECT_THAT(scores_of(missing_eos(scores_are({4, 5, 6}), -1)), ElementsAre(4, -1, 6));
  EXPECT_THAT(scores_of(missing_eos_penalty(scores_are({4, 5, 6}), 2)), ElementsAre(4, 3, 6));
}

TEST(Shaping, LengthPenaltyCountsTokensBeyondTheFreeOnes) {
  EXPECT_THAT(
      scores_of(length_penalty(scores_are({0, 0, 0}), {.per_token = 0.5, .free_tokens = 2})),
      ElementsAre(0, -0.5, -1.5));
}

TEST(Shaping, LengthPenaltyLeavesUncountedTokensOut) {
  Rollout rollout = ended_cut_ended;
  rollout.completions.counted =
      torch::tensor({true, true, true, false, true, true, true, true, true, true});
  EXPECT_THAT(scores_of(length_penalty(scores_are({0, 0, 0}), {.per_token = 1}), rollout),
              ElementsAre(-2, -2, -5));
}

TEST(Shaping, NormaliseGivesTheSampleMeanZeroAndStdOne) {
  // Mean 2, population std sqrt(((-2)^2 + 0 + 2^2) / 3).
  const auto scores = scores_of(normalise(scores_are({0, 2, 4}), ended_cut_ended));
  EXPECT_FLOAT_EQ(scores[0], -std::sqrt(1.5F));
  EXPECT_FLOAT_EQ(scores[1], 0.0F);
  EXPECT_FLOAT_EQ(scores[2], std::sqrt(1.5F));
}

TEST(Shaping, NormaliseKeepsTheMomentsOfItsSample) {
  EXPECT_THAT(scores_of(normalise(scores_are({1, 3, 5}), ScoreMoments{.mean = 3, .std = 0.5})),
              ElementsAre(-4, 0, 4));
}

TEST(Shaping, ReadsInsideOut) {
  EXPECT_THAT(scores_of(clip(missing_eos(scores_are({9, 9, 9}), -100), -5, 5)),
              ElementsAre(5, -5, 5));
  EXPECT_THAT(scores_of(missing_eos(clip(scores_are({9, 9, 9}), -5, 5), -100)),
              ElementsAre(5, -100, 5));
}

TEST(Shaping, TakesAnyShapingOfTheUsers) {
  const auto minus_prompt = [](const Tensor& scores, const Rollout& rollout) {
    return scores - rollout.completions.prompt_lengths;
  };
  EXPECT_THAT(scores_of(shape(scores_are({1, 2, 3}), minus_prompt)), ElementsAre(0, 1, 2));
}

TEST(Shaping, OwnsABaseThatOnlyMovesAndBorrowsByRef) {
  struct MoveOnly {
    std::unique_ptr<float> score = std::make_unique<float>(2.0F);
    Tensor operator()(const Rollout& rollout) {
      return torch::full({rollout.completions.size()}, *score);
    }
  };
  MoveOnly base;
  auto borrowed = scale(std::ref(base), 2.0);
  *base.score = 5.0F;
  EXPECT_FLOAT_EQ(borrowed(ended_cut_ended)[0].item<float>(), 10.0F);
  auto owned = clip(std::move(base), 0.0, 3.0);
  EXPECT_FLOAT_EQ(owned(ended_cut_ended)[0].item<float>(), 3.0F);
}

TEST(Shaping, WorksBehindAnyReward) {
  AnyReward reward = clip(AnyReward(scores_are({-7, 2, 9})), -5, 5);
  EXPECT_THAT(scores_of(reward), ElementsAre(-5, 2, 5));
}

TEST(Shaping, ABaseScoreThatIsNotFiniteIsNeverClippedAway) {
  EXPECT_THAT(error_of([] {
                scores_of(clip(scores_are({1, HUGE_VALF, 2}), -5, 5));
              }),
              HasSubstr("scores of a shaped reward's base: expected a finite number, got inf "
                        "for sequence 1"));
}

TEST(Shaping, ABaseThatGivesAnotherShapeIsNamed) {
  EXPECT_THAT(error_of([] {
                scores_of(scale(scores_are({1, 2}), 2));
              }),
              HasSubstr("scores of a shaped reward's base: expected [3], got [2]"));
}

TEST(Shaping, NamesWhatCannotWork) {
  const auto base = scores_are({1, 1, 1});
  EXPECT_THAT(error_of([&] { clip(base, 5, -5); }), HasSubstr("expected low < high, got 5 and -5"));
  EXPECT_THAT(error_of([&] { scale(base, std::nan("")); }), HasSubstr("factor of a reward"));
  EXPECT_THAT(error_of([&] { missing_eos(base, -HUGE_VAL); }),
              HasSubstr("score or penalty of a missing EOS: expected a finite number, got -inf"));
  EXPECT_THAT(error_of([&] { length_penalty(base, {.free_tokens = -1}); }),
              HasSubstr("LengthPenalty::free_tokens: expected >= 0, got -1"));
  EXPECT_THAT(error_of([&] { normalise(base, ended_cut_ended); }),
              HasSubstr("ScoreMoments::std: expected a finite number > 0, got 0"));
  EXPECT_THAT(error_of([] { moments_of(torch::ones({1})); }),
              HasSubstr("scores to take the moments of: expected [n], n >= 2, got [1]"));
  Rollout no_finish = ended_cut_ended;
  no_finish.finish.clear();
  EXPECT_THAT(error_of([&] { scores_of(missing_eos(base, -1), no_finish); }),
              HasSubstr("Rollout::finish: expected 3, got 0"));
}

TEST(Ensemble, PoolsItsMembersScores) {
  const std::vector<AnyReward> members{scores_are({0, 2, 9}), scores_are({4, 2, 3})};
  EXPECT_THAT(scores_of(Ensemble(members)), ElementsAre(2, 2, 6));
  EXPECT_THAT(scores_of(Ensemble(members, {.pool = Pool::min})), ElementsAre(0, 2, 3));
  EXPECT_THAT(scores_of(Ensemble(members, {.pool = Pool::mean_minus_std, .std_weight = 2})),
              ElementsAre(-2, 2, 0));
}

TEST(Ensemble, OfOneIsThatOne) {
  EXPECT_THAT(scores_of(Ensemble({scores_are({0, 2, 9})}, {.pool = Pool::mean_minus_std})),
              ElementsAre(0, 2, 9));
}

TEST(Ensemble, NamesWhatCannotWork) {
  EXPECT_THAT(error_of([] { Ensemble({}); }),
              HasSubstr("members of Ensemble: expected >= 1, got 0"));
  EXPECT_THAT(error_of([] {
                scores_of(Ensemble({scores_are({1, 2, 3}), scores_are({1, NAN, 3})}));
              }),
              HasSubstr("scores of member 1 of Ensemble: expected a finite number, got nan "
                        "for sequence 1"));
  EXPECT_THAT(error_of([] { Ensemble({scores_are({1})}, {.std_weight = -1}); }),
              HasSubstr("EnsembleOptions::std_weight: expected a finite number >= 0, got -1"));
}

}  // namespace
}  // namespace rlhf::reward
