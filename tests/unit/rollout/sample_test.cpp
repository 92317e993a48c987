#include "rlhf/rollout/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "rlhf/rollout/whole_sequence.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

/// A bigram model: the next token depends on the last one alone.
Tensor bigram() {
  Generator generator(9);
  Tensor table = torch::empty({6, 6});
  generator.fill_normal(table, 0, 2);
  return table;
}

auto bigram_decoder() {
  return WholeSequenceDecoder{[table = bigram()](const Completions& prompts) {
    const Tensor last = prompts.lengths().cumsum(0) - 1;
    return table.index_select(0, prompts.tokens.index_select(0, last));
  }};
}
static_assert(Decoder<decltype(bigram_decoder())>);

const SamplingOptions options{.temperature = 0.8, .max_response_tokens = 12, .end_tokens = {5}};

TEST(Sample, DrawsFromTheDistribution) {
  const Tensor logits = bigram().narrow(0, 0, 1);
  const Tensor p = torch::softmax(logits / 0.8, 1)[0];
  std::map<int64_t, int> counts;
  Generator generator(2);
  constexpr int n = 20000;
  for (int i = 0; i < n; ++i)
    ++counts[rollout::draw(logits, {generator.uniform()}, options).tokens.item<int64_t>()];
  for (int64_t token = 0; token < 6; ++token) {
    const double expected = p[token].item<double>();
    EXPECT_NEAR(counts[token] / double(n), expected, 5 * std::sqrt(expected / n) + 1e-9);
  }
}

TEST(Sample, TruncationKeepsTheMostLikelyAndTheUntruncatedLogProbs) {
  const Tensor logits = torch::tensor({{0.f, 3.f, 2.f, 1.f}});
  Generator generator(2);
  for (int i = 0; i < 200; ++i) {
    const auto by_k = rollout::draw(logits, {generator.uniform()}, {.top_k = 2});
    EXPECT_THAT(by_k.tokens.item<int64_t>(), testing::AnyOf(1, 2));
    // probabilities .64 .24 .09 .03: the first two hold 0.88 of it
    const auto by_p = rollout::draw(logits, {generator.uniform()}, {.top_p = 0.88});
    EXPECT_THAT(by_p.tokens.item<int64_t>(), testing::AnyOf(1, 2));
    EXPECT_FLOAT_EQ(by_p.log_probs.item<float>(),
                    torch::log_softmax(logits, 1)[0][by_p.tokens.item<int64_t>()].item<float>());
  }
  EXPECT_EQ(rollout::draw(logits, {0.99}, {.top_p = 0.1}).tokens.item<int64_t>(), 1);
  EXPECT_EQ(rollout::draw(logits, {0.99}, {.temperature = 0}).tokens.item<int64_t>(), 1);
}

TEST(Sample, NeverDrawsATokenOfNoProbability) {
  const float minus = -std::numeric_limits<float>::infinity();
  const Tensor logits = torch::tensor({{minus, 0.f, minus}});
  for (double u : {0.0, 0.5, 1.0 - 0x1p-53}) {
    EXPECT_EQ(rollout::draw(logits, {u}, {}).tokens.item<int64_t>(), 1);
  }
}

TEST(Sample, EndsAtAnEndTokenOrAtTheLimit) {
  auto decoder = bigram_decoder();
  Generator generator(1);
  const Rollout r =
      rollout::sample(decoder, completions_from({{0}, {1, 2}, {3}, {4}}), options, generator);
  r.completions.validate();
  for (int64_t row = 0; row < 4; ++row) {
    const auto response = r.completions.response(row);
    const auto end = std::find(response.begin(), response.end(), 5);
    if (r.finish[static_cast<size_t>(row)] == Finish::eos) {
      EXPECT_EQ(end, response.end() - 1);
    } else {
      EXPECT_EQ(response.size(), 12U);
      EXPECT_EQ(end, response.end());
    }
  }
}

TEST(Sample, LogProbsAreThoseOfTheModelAtTheTemperature) {
  auto decoder = bigram_decoder();
  Generator generator(1);
  const Rollout r =
      rollout::sample(decoder, completions_from({{0}, {1, 2}, {3}}), options, generator);
  const Tensor table = torch::log_softmax(bigram() / 0.8, 1);
  for (int64_t row = 0; row < 3; ++row) {
    int64_t last = r.completions.prompt(row).back();
    int64_t t = 0;
    for (int64_t token : r.completions.response(row)) {
      // The logarithm of a sum near 1 is right to the rounding of the sum.
      EXPECT_NEAR(r.log_probs[row][t++].item<float>(), table[last][token].item<float>(), 3e-7F);
      last = token;
    }
  }
}

TEST(Sample, AResponseDoesNotDependOnItsBatch) {
  auto decoder = bigram_decoder();
  Completions prompts = completions_from({{0}, {1, 2}, {3}, {4}, {2}, {1}});
  prompts.ids = int64_tensor({100, 7, 55, 3, 9, 12});
  Generator together(4);
  const Rollout all = rollout::sample(decoder, prompts, options, together);
  for (int64_t row = 0; row < prompts.size(); ++row) {
    Generator alone(4);
    const Rollout one =
        rollout::sample(decoder, select(prompts, int64_tensor({row})), options, alone);
    EXPECT_EQ(one.completions.response(0), all.completions.response(row));
  }
}

TEST(Sample, SamplesOfOnePromptDifferAndRepeatUnderOneSeed) {
  auto decoder = bigram_decoder();
  auto several = options;
  several.samples_per_prompt = 4;
  Completions prompts = completions_from({{0}, {3}});
  prompts.ids = int64_tensor({8, 9});
  Generator first(4), second(4);
  const Rollout a = rollout::sample(decoder, prompts, several, first);
  EXPECT_THAT(int64_vector(*a.completions.ids), ElementsAre(8, 8, 8, 8, 9, 9, 9, 9));
  EXPECT_FALSE(a.completions.response(0) == a.completions.response(1) &&
               a.completions.response(1) == a.completions.response(2));
  // The same prompt given four times takes the same four sample numbers.
  const Rollout b =
      rollout::sample(decoder, select(prompts, int64_tensor({0, 0, 0, 0})), options, second);
  for (int64_t s = 0; s < 4; ++s) EXPECT_EQ(a.completions.response(s), b.completions.response(s));
  // The next step draws other numbers.
  const Rollout c = rollout::sample(decoder, prompts, several, first);
  EXPECT_FALSE(c.completions.tokens.equal(a.completions.tokens));
}

TEST(Sample, BadOptionsAndLogitsAreNamed) {
  auto decoder = bigram_decoder();
  Generator generator(1);
  const Completions prompts = completions_from({{0}});
  EXPECT_THAT(error_of([&] { rollout::sample(decoder, prompts, {.temperature = -1}, generator); }),
              HasSubstr("SamplingOptions::temperature: expected >= 0, got -1"));
  EXPECT_THAT(error_of([&] { rollout::sample(decoder, prompts, {.top_p = 0}, generator); }),
              HasSubstr("SamplingOptions::top_p"));
  EXPECT_THAT(
      error_of([&] { rollout::sample(decoder, completions_from({{0}}, {{1}}), {}, generator); }),
      HasSubstr("completions with empty responses"));
  WholeSequenceDecoder broken{[](const Completions& c) { return torch::full({c.size(), 3}, NAN); }};
  EXPECT_THAT(error_of([&] { rollout::sample(broken, prompts, {}, generator); }),
              HasSubstr("logits of sampled row 0: expected finite numbers, got NaN"));
}

}  // namespace
}  // namespace rlhf
