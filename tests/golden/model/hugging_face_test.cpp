// A tiny Llama that transformers made: logits, loss and every gradient agree, and what is saved is
// what was read.
#include <gtest/gtest.h>

#include "../../../src/model/weight_names.hpp"
#include "golden/golden.hpp"
#include "rlhf/model/hugging_face.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::golden_tensor;
using test::json;

const std::string folder = std::string(RLHF_GOLDEN_DIR) + "/data/hf_llama";

/// Each row's first token asks for all the others.
Completions rows_of(const json& golden) {
  std::vector<std::vector<int64_t>> prompts, responses;
  for (const auto& row : golden.at("tokens")) {
    const auto tokens = row.get<std::vector<int64_t>>();
    prompts.push_back({tokens.front()});
    responses.emplace_back(tokens.begin() + 1, tokens.end());
  }
  return completions_from(prompts, responses);
}

std::vector<model::WeightPart> parts_of(const CausalLM& lm) {
  auto parts = model::weight_parts(lm.trunk(), model::hugging_face_names());
  parts.push_back({.name = "lm_head.weight", .rows = lm.output().detach()});
  return parts;
}

TEST(HuggingFaceLlama, GivesTheLogProbabilitiesLossAndGradientsOfTransformers) {
  const json golden = test::read_golden("hf_llama");
  CausalLM lm = model::load_hugging_face(folder);
  const Completions rows = rows_of(golden);
  const Tensor log_probs = lm.evaluate(rows).log_probs;
  double sum = 0;
  int64_t row = 0;
  for (const auto& expected : golden.at("log_probs")) {
    const Tensor theirs = golden_tensor(expected);
    const Tensor ours = log_probs[row++].narrow(0, 0, theirs.size(0)).to(torch::kDouble);
    EXPECT_LT((ours - theirs).abs().max().item<double>(), 1e-5);
    sum += ours.sum().item<double>();
  }
  const auto count = static_cast<double>(rows.response_lengths.sum().item<int64_t>());
  EXPECT_NEAR(-sum / count, golden.at("loss").get<double>(), 1e-6);

  (-log_probs.sum() / count).backward();
  // The gradients in the weights' places, so that the parts carry them under their names there.
  CausalLM gradients = lm.clone();
  NoGrad no_grad;
  const auto weights = lm.named_parameters(), places = gradients.named_parameters();
  for (size_t i = 0; i < weights.size(); ++i) places[i].second.copy_(weights[i].second.grad());
  for (const model::WeightPart& part : parts_of(gradients)) {
    const Tensor theirs = golden_tensor(golden.at("gradients").at(part.name));
    const double size = theirs.abs().max().item<double>();
    EXPECT_LT((part.rows.to(torch::kDouble) - theirs).abs().max().item<double>(), 1e-5 * size)
        << part.name;
  }
}

TEST(HuggingFaceLlama, DecodesToTheSameLogits) {
  const json golden = test::read_golden("hf_llama");
  const CausalLM lm = model::load_hugging_face(folder);
  NoGrad no_grad;
  int64_t row = 0;
  for (const auto& expected : golden.at("last_logits")) {
    const auto tokens = golden.at("tokens")[static_cast<size_t>(row++)].get<std::vector<int64_t>>();
    KvCache cache = lm.begin(completions_from({tokens}));
    const Tensor logits = lm.step(cache, torch::tensor({tokens.back()}))[0].to(torch::kDouble);
    EXPECT_LT((logits - golden_tensor(expected)).abs().max().item<double>(), 2e-5);
  }
}

TEST(HuggingFaceLlama, IsSavedAsItWasRead) {
  const test::TemporaryFolder temporary;
  const CausalLM lm = model::load_hugging_face(folder);
  model::save_hugging_face(temporary / "model", lm, {{"tokenizer.json", "{}"}});
  const CausalLM again = model::load_hugging_face(temporary / "model");
  EXPECT_EQ(again.config(), lm.config());
  const auto a = lm.named_parameters(), b = again.named_parameters();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
}

TEST(HuggingFaceLlama, MakesRewardModelsThatAreReadAgain) {
  const test::TemporaryFolder temporary;
  Generator generator(1);
  const CausalLM lm = model::load_hugging_face(folder);
  ScalarModel scalar(lm.trunk(), 0.1, generator);
  scalar.shift(0.25);
  model::save_hugging_face(temporary / "reward", scalar);
  const ScalarModel again = model::load_hugging_face_scalar(temporary / "reward");
  const auto a = scalar.named_parameters(), b = again.named_parameters();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
}

}  // namespace
}  // namespace rlhf
