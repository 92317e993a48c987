#include "rlhf/evaluation/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "rlhf/rollout/whole_sequence.hpp"
#include "support/error_of.hpp"
#include "support/small_model.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf::evaluation {
namespace {

using test::doubles;
using test::error_of;
using test::TensorNear;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// A token a piece. The end is written out: it is no special token that decoding would drop.
struct Pieces {
  std::vector<std::string> pieces;

  int64_t id(std::string_view text) const {
    return std::ranges::find(pieces, text) - pieces.begin();
  }
  std::vector<int64_t> encode(std::string_view text) const { return {id(text)}; }
  std::string decode(std::span<const int64_t> tokens, SpecialTokens) const {
    std::string text;
    for (int64_t token : tokens) text += pieces.at(static_cast<size_t>(token));
    return text;
  }
  std::vector<int64_t> end_tokens() const { return {0}; }
};

const Pieces words{{"<end>", "Lima", "lima", "Cairo", "Idk", ".", "x", "y"}};

/// To question x: "Lima" with probability .45, "Lima." with .05, "lima" .2, "Cairo" .3.
/// To question y: "Idk" .6, "Cairo" .4.
auto toy() {
  Tensor p = torch::zeros({8, 8});
  const auto set = [&](std::string_view last, std::string_view next, float probability) {
    p[words.id(last)][words.id(next)] = probability;
  };
  set("x", "Lima", .5F);
  set("x", "lima", .2F);
  set("x", "Cairo", .3F);
  set("y", "Idk", .6F);
  set("y", "Cairo", .4F);
  set("Lima", "<end>", .9F);
  set("Lima", ".", .1F);
  for (std::string_view last : {"lima", "Cairo", "Idk", "."}) set(last, "<end>", 1);
  return WholeSequenceDecoder{[table = p.log()](const Completions& prompts) {
    const Tensor last = prompts.lengths().cumsum(0) - 1;
    return table.index_select(0, prompts.tokens.index_select(0, last));
  }};
}

Completions questions(const std::vector<std::string>& names) {
  std::vector<std::vector<int64_t>> prompts;
  for (const std::string& name : names) prompts.push_back(words.encode(name));
  return completions_from(prompts);
}

Grade grade(int64_t, std::string_view answer) {
  return answer == "Idk" ? Grade::abstains : answer == "Cairo" ? Grade::wrong : Grade::right;
}

Probed probe_toy(const Completions& prompts, const ProbeOptions& options, uint64_t seed = 1,
                 const GradeOfAnswer& grades = grade) {
  auto decoder = toy();
  Generator generator(seed);
  return probe(decoder, prompts, words, grades, options, generator);
}

TEST(Probe, MeasuresComeOutAsTheDistributionSays) {
  constexpr int64_t n = 4000;
  const Probed probed = probe_toy(questions({"x"}), {.samples = n, .answer_tokens = 1});
  EXPECT_THAT(probed.texts, ElementsAre("Lima"));
  EXPECT_EQ(probed.answers.response(0), (std::vector<int64_t>{1, 0}));
  EXPECT_THAT(probed.grades, ElementsAre(Grade::right));
  EXPECT_THAT(probed.confidence, TensorNear(doubles({.5}), 1e-6));
  // Five standard deviations.
  EXPECT_NEAR(probed.agreement.item<double>(), .45, 5 * std::sqrt(.45 * .55 / n));
  EXPECT_NEAR(probed.semantic_agreement.item<double>(), .7, 5 * std::sqrt(.7 * .3 / n));
  const double entropy = -.7 * std::log(.7) - .3 * std::log(.3);
  EXPECT_NEAR(probed.semantic_entropy.item<double>(), entropy,
              5 * std::sqrt(.7 * .3 / n) * std::log(.7 / .3));
  EXPECT_EQ(probed.sampled.total(), n);
  EXPECT_NEAR(probed.sampled.right_rate(), .7, 5 * std::sqrt(.7 * .3 / n));
}

TEST(Probe, ConfidenceIsOfTheFirstTokensOrOfTheWholeAnswer) {
  const Completions prompts = questions({"x"});
  const auto confidence = [&](int64_t tokens) {
    return probe_toy(prompts, {.samples = 0, .answer_tokens = tokens}).confidence;
  };
  EXPECT_THAT(confidence(2), TensorNear(doubles({.45}), 1e-6));
  EXPECT_THAT(confidence(100), TensorNear(doubles({.45}), 1e-6));
}

TEST(Probe, SamplesAreDrawnAtTheirTemperatureAndConfidenceAtOne) {
  constexpr int64_t n = 2000;
  const Probed probed =
      probe_toy(questions({"x"}), {.samples = n, .temperature = 2.0, .answer_tokens = 1});
  const double sum = std::sqrt(.5) + std::sqrt(.2) + std::sqrt(.3);
  const double cairo = std::sqrt(.3) / sum;
  EXPECT_NEAR(1.0 - probed.semantic_agreement.item<double>(), cairo,
              5 * std::sqrt(cairo * (1 - cairo) / n));
  EXPECT_THAT(probed.confidence, TensorNear(doubles({.5}), 1e-6));

  const Probed likely = probe_toy(questions({"x"}), {.samples = 50, .top_k = 1});
  EXPECT_EQ(likely.agreement.item<double>(), 1.0);
}

TEST(Probe, AnAbstentionAgreesWithNothingAndHasNoConfidence) {
  const Probed probed = probe_toy(questions({"x", "y"}), {.samples = 40});
  EXPECT_THAT(probed.grades, ElementsAre(Grade::right, Grade::abstains));
  EXPECT_EQ(probed.confidence[1].item<double>(), 0.0);
  EXPECT_EQ(probed.agreement[1].item<double>(), 0.0);
  EXPECT_EQ(probed.semantic_agreement[1].item<double>(), 0.0);
  const auto declined = static_cast<double>(std::ranges::count(probed.samples[1], "Idk"));
  ASSERT_GT(declined, 0.0);
  const double answered = 1.0 - declined / 40;
  EXPECT_NEAR(probed.semantic_entropy[1].item<double>(),
              declined / 40 * std::log(40.0) - answered * std::log(answered), 1e-12);
  EXPECT_EQ(probed.sampled.abstained, static_cast<int64_t>(declined));
  EXPECT_TRUE(probed.answered().equal(torch::tensor({true, false})));
  EXPECT_TRUE(probed.right().equal(torch::tensor({true, false})));
}

TEST(Probe, AnAbstentionThatIsGradedAsAnAnswerIsOne) {
  const Probed probed =
      probe_toy(questions({"y"}), {.samples = 2000}, 1, [](int64_t, std::string_view answer) {
        return answer == "Idk" ? Grade::right : Grade::wrong;
      });
  EXPECT_NEAR(probed.confidence.item<double>(), .6, 1e-6);
  EXPECT_NEAR(probed.agreement.item<double>(), .6, 5 * std::sqrt(.24 / 2000));
}

TEST(Probe, BarredFirstTokensMakeItGuess) {
  const std::vector<std::string> abstentions{"Idk"};
  const Probed probed = probe_toy(
      questions({"x", "y"}),
      {.samples = 20, .answer_tokens = 1, .barred = rollout::first_tokens(words, abstentions)});
  EXPECT_THAT(probed.texts, ElementsAre("Lima", "Cairo"));
  EXPECT_THAT(probed.confidence, TensorNear(doubles({.5, 1.0}), 1e-6));
  EXPECT_EQ(probed.agreement[1].item<double>(), 1.0);
  EXPECT_EQ(probed.semantic_entropy[1].item<double>(), 0.0);
  EXPECT_EQ(probed.sampled.abstained, 0);
}

TEST(Probe, MeaningIsTheCallers) {
  auto decoder = toy();
  Generator generator(1);
  const Probed probed = probe(decoder, questions({"x"}), words, grade, {.samples = 30}, generator,
                              [](std::string_view) { return std::string("always the same"); });
  EXPECT_LT(probed.agreement.item<double>(), 1.0);
  EXPECT_EQ(probed.semantic_agreement.item<double>(), 1.0);
  EXPECT_EQ(probed.semantic_entropy.item<double>(), 0.0);
}

TEST(Probe, TheGraderGetsRowsOfThePrompts) {
  Completions prompts = questions({"x", "y", "x"});
  prompts.ids = int64_tensor({70, 80, 90});
  std::vector<int64_t> asked(3);
  probe_toy(prompts, {.samples = 5}, 1, [&](int64_t row, std::string_view answer) {
    ++asked.at(static_cast<size_t>(row));
    return grade(row, answer);
  });
  EXPECT_THAT(asked, Each(6));
}

TEST(Probe, AnswersDependOnTheSeedButNotOnTheBatch) {
  Completions prompts = completions_from({{6}, {1, 2, 7}, {3, 6}, {6}});
  const Probed all = probe_toy(prompts, {.samples = 12});
  EXPECT_EQ(all.samples, probe_toy(prompts, {.samples = 12}).samples);
  EXPECT_NE(all.samples, probe_toy(prompts, {.samples = 12}, 2).samples);
  EXPECT_NE(all.samples[0], all.samples[3]);  // the same question, drawn apart

  const Probed batches = probe_toy(prompts, {.samples = 12, .token_budget = 1});
  EXPECT_EQ(all.samples, batches.samples);
  EXPECT_EQ(all.texts, batches.texts);
  EXPECT_TRUE(all.confidence.equal(batches.confidence));
  EXPECT_TRUE(all.answers.tokens.equal(batches.answers.tokens));

  prompts.ids = torch::arange(4);
  const Probed alone = probe_toy(select(prompts, int64_tensor({2})), {.samples = 12});
  EXPECT_EQ(alone.samples[0], all.samples[2]);
}

TEST(Probe, TheGeneratorAdvancesOneStep) {
  auto decoder = toy();
  Generator generator(1);
  const ProbeOptions options{.samples = 12, .token_budget = 1};
  const Completions prompts = questions({"x", "y"});
  const Probed first = probe(decoder, prompts, words, grade, options, generator);
  EXPECT_EQ(generator.state().step, 1U);
  EXPECT_NE(first.samples, probe(decoder, prompts, words, grade, options, generator).samples);
}

TEST(Probe, WithoutSamplesThereIsConfidenceAlone) {
  const Probed probed = probe_toy(questions({"x"}), {.samples = 0});
  EXPECT_TRUE(probed.samples.empty());
  EXPECT_EQ(probed.sampled.total(), 0);
  EXPECT_FALSE(probed.agreement.defined());
  EXPECT_FALSE(probed.semantic_entropy.defined());
}

TEST(Probe, ConfidenceIsWhatEvaluateSaysOfTheAnswer) {
  const CausalLM model = test::sharp_model();
  const Pieces letters{
      {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"}};
  const auto any = [](int64_t, std::string_view) { return Grade::right; };
  const auto probed = [&](std::vector<int64_t> barred) {
    Generator generator(1);
    return probe(model, prompts_of(test::ragged_batch()), letters, any,
                 {.samples = 3, .answer_tokens = 3, .max_response_tokens = 8, .barred = barred},
                 generator);
  };
  const Probed free = probed({});
  const Tensor log_probs = model.evaluate(free.answers).log_probs.to(torch::kFloat64);
  const Tensor confidence = log_probs.narrow(1, 0, 3).sum(1).exp();
  // The sampler's arithmetic is its own: 1e-4 in the logarithm.
  EXPECT_THAT(free.confidence, TensorNear(confidence.detach(), 3e-4));

  // What is barred leaves the first token's probability to the others.
  std::vector<int64_t> first;
  for (const auto& response : responses_of(free.answers)) first.push_back(response.front());
  const Probed guesses = probed(first);
  const Tensor guessed = model.evaluate(guesses.answers).log_probs.to(torch::kFloat64);
  for (int64_t row = 0; row < 3; ++row) {
    double left = 1.0;
    std::vector<int64_t> barred = first;
    std::ranges::sort(barred);
    barred.erase(std::unique(barred.begin(), barred.end()), barred.end());
    for (int64_t token : barred) {
      const Completions one =
          with_responses(select(prompts_of(test::ragged_batch()), int64_tensor({row})), {{token}});
      left -= std::exp(model.evaluate(one).log_probs.item<double>());
    }
    const double expected = guessed[row].narrow(0, 0, 3).sum().exp().item<double>() / left;
    EXPECT_NEAR(guesses.confidence[row].item<double>(), expected, 1e-3 * expected);
    EXPECT_EQ(std::ranges::count(barred, guesses.answers.response(row).front()), 0);
  }
}

TEST(Probe, NamesWhatCannotBeAsked) {
  const Completions x = questions({"x"});
  const auto error = [&](const Completions& prompts, const ProbeOptions& options) {
    return error_of([&] { probe_toy(prompts, options); });
  };
  EXPECT_THAT(error(x, {.samples = -1}), HasSubstr("ProbeOptions::samples: expected >= 0, got -1"));
  EXPECT_THAT(error(x, {.temperature = 0}),
              HasSubstr("ProbeOptions::temperature: expected > 0, so that samples may differ"));
  EXPECT_THAT(error(x, {.top_k = -1}), HasSubstr("ProbeOptions::top_k: expected >= 0, got -1"));
  EXPECT_THAT(error(x, {.top_p = 0}), HasSubstr("ProbeOptions::top_p: expected in (0, 1], got 0"));
  EXPECT_THAT(error(x, {.answer_tokens = 0}),
              HasSubstr("ProbeOptions::answer_tokens: expected >= 1, got 0"));
  EXPECT_THAT(error(x, {.max_response_tokens = 0}),
              HasSubstr("ProbeOptions::max_response_tokens: expected >= 1, got 0"));
  EXPECT_THAT(error(x, {.end_tokens = {{-3}}}),
              HasSubstr("ProbeOptions::end_tokens: expected >= 0, got -3"));
  EXPECT_THAT(error(x, {.barred = {-1}}), HasSubstr("expected >= 0, got -1"));
  EXPECT_THAT(error(x, {.barred = {8}}),
              HasSubstr("barred token: expected below the vocabulary's 8, got 8"));
  EXPECT_THAT(error(x, {.token_budget = -1}),
              HasSubstr("ProbeOptions::token_budget: expected >= 0, got -1"));
  EXPECT_THAT(error(completions_from({{6}}, {{1}}), {}),
              HasSubstr("prompts to probe with: expected completions with empty responses"));
  EXPECT_THAT(error(select(x, int64_tensor({})), {}),
              HasSubstr("prompts to probe with: expected >= 1, got 0"));
  Completions twice = questions({"x", "y"});
  twice.ids = int64_tensor({4, 4});
  EXPECT_THAT(error(twice, {}),
              HasSubstr("ids of the prompts to probe with: expected each once, got 4 more than "
                        "once"));
  EXPECT_THAT(error_of([&] { probe_toy(x, {}, 1, nullptr); }),
              HasSubstr("grade of answers to probe: expected a function, got none"));
}

}  // namespace
}  // namespace rlhf::evaluation
