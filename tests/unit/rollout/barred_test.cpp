#include "rlhf/rollout/barred.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "rlhf/rollout/sample.hpp"
#include "rlhf/rollout/whole_sequence.hpp"
#include "support/error_of.hpp"
#include "support/letters.hpp"
#include "support/small_model.hpp"

namespace rlhf {
namespace {

using rollout::Barred;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

/// Whatever came before: 0 with probability .1, 1 with .2, 2 with .3, 3 with .4. It gives the same
/// tensor each time, as a decoder may.
auto memoryless() {
  return WholeSequenceDecoder{
      [logits = torch::tensor({{.1F, .2F, .3F, .4F}}).log()](const Completions& prompts) {
        return prompts.size() == 1 ? logits : logits.expand({prompts.size(), 4});
      }};
}
using Memoryless = decltype(memoryless());
static_assert(Decoder<Barred<Memoryless>>);
static_assert(Decoder<Barred<const CausalLM>>);

TEST(Barred, TheFirstTokenIsDrawnFromTheOthersAsIfThereWereNoMore) {
  auto decoder = memoryless();
  Barred barred(decoder, {3, 1});
  Generator generator(1);
  const Rollout greedy = rollout::sample(barred, completions_from({{0}}),
                                         {.temperature = 0, .max_response_tokens = 3}, generator);
  EXPECT_THAT(greedy.completions.response(0), ElementsAre(2, 3, 3));  // later ones are free
  EXPECT_FLOAT_EQ(greedy.log_probs[0][0].item<float>(), std::log(.3F / .4F));
  EXPECT_FLOAT_EQ(greedy.log_probs[0][1].item<float>(), std::log(.4F));

  const Rollout drawn = rollout::sample(
      barred, completions_from({{0}, {2}}),
      {.max_response_tokens = 2, .end_tokens = {0}, .samples_per_prompt = 100}, generator);
  std::map<int64_t, int> first, second;
  for (const auto& response : responses_of(drawn.completions)) {
    ++first[response[0]];
    if (response.size() > 1) ++second[response[1]];
  }
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(first.count(0) + first.count(2), 2U);
  EXPECT_EQ(second.size(), 4U);
}

TEST(Barred, NoTokensLeaveTheDecoderAsItIs) {
  const CausalLM model = test::sharp_model();
  Barred barred(model, {});
  const SamplingOptions options{.max_response_tokens = 6, .samples_per_prompt = 3};
  const Completions prompts = prompts_of(test::ragged_batch());
  Generator first(2), second(2);
  const Rollout free = rollout::sample(model, prompts, options, first);
  const Rollout same = rollout::sample(barred, prompts, options, second);
  EXPECT_TRUE(free.completions.tokens.equal(same.completions.tokens));
  EXPECT_TRUE(free.log_probs.equal(same.log_probs));
}

TEST(Barred, NamesTokensThatCannotBeBarred) {
  auto decoder = memoryless();
  const auto sampled = [&](std::vector<int64_t> tokens) {
    return error_of([&] {
      Barred barred(decoder, tokens);
      Generator generator(1);
      rollout::sample(barred, completions_from({{0}}), {}, generator);
    });
  };
  EXPECT_THAT(sampled({2, -1}), HasSubstr("barred token: expected >= 0, got -1"));
  EXPECT_THAT(sampled({4}), HasSubstr("barred token: expected below the vocabulary's 4, got 4"));
  EXPECT_THAT(sampled({0, 1, 1, 2, 3}),
              HasSubstr("barred tokens: expected some token left to draw, got all 4"));
}

TEST(Barred, FirstTokensStandOnceAndRising) {
  const std::vector<std::string> phrases{"no idea", "i cannot say", "i do not know"};
  EXPECT_THAT(rollout::first_tokens(Letters{}, phrases), ElementsAre(9, 14));
  EXPECT_THAT(error_of([] { rollout::first_tokens(Letters{}, std::vector<std::string>{"?"}); }),
              HasSubstr("phrase to take the first token of: expected at least one token, got "
                        "\"?\", which has none"));
}

}  // namespace
}  // namespace rlhf
