// A tiny model of each family that transformers made: logits, loss and every gradient agree, and
// what is saved is what was read.
#include <gtest/gtest.h>

#include "../../../src/model/weight_names.hpp"
#include "golden/golden.hpp"
#include "rlhf/model/hugging_face.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::golden_tensor;
using test::json;

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
  auto parts =
      model::weight_parts(lm.trunk(), model::hugging_face_names(model::family_of(lm.config())));
  if (lm.config().output_layer == OutputLayer::separate) {
    parts.push_back({.name = "lm_head.weight", .rows = lm.output().detach()});
  }
  return parts;
}

class HuggingFaceFamily : public testing::TestWithParam<const char*> {
 protected:
  std::string name_ = std::string("hf_") + GetParam();
  json golden_ = test::read_golden(name_);
  CausalLM lm_ = model::load_hugging_face(std::string(RLHF_GOLDEN_DIR) + "/data/" + name_);
};

TEST_P(HuggingFaceFamily, GivesTheLogProbabilitiesLossAndGradientsOfTransformers) {
  const Completions rows = rows_of(golden_);
  const Tensor log_probs = lm_.evaluate(rows).log_probs;
  double sum = 0;
  int64_t row = 0;
  for (const auto& expected : golden_.at("log_probs")) {
    const Tensor theirs = golden_tensor(expected);
    const Tensor ours = log_probs[row++].narrow(0, 0, theirs.size(0)).to(torch::kDouble);
    EXPECT_LT((ours - theirs).abs().max().item<double>(), 1e-5);
    sum += ours.sum().item<double>();
  }
  const auto count = static_cast<double>(rows.response_lengths.sum().item<int64_t>());
  EXPECT_NEAR(-sum / count, golden_.at("loss").get<double>(), 1e-6);

  (-log_probs.sum() / count).backward();
  // The gradients in the weights' places, so that the parts carry them under their names there.
  CausalLM gradients = lm_.clone();
  NoGrad no_grad;
  const auto weights = lm_.named_parameters(), places = gradients.named_parameters();
  for (size_t i = 0; i < weights.size(); ++i) places[i].second.copy_(weights[i].second.grad());
  for (const model::WeightPart& part : parts_of(gradients)) {
    const Tensor theirs = golden_tensor(golden_.at("gradients").at(part.name));
    const double size = theirs.abs().max().item<double>();
    const Tensor ours = part.transposed ? part.rows.t() : part.rows;
    EXPECT_LT((ours.to(torch::kDouble) - theirs).abs().max().item<double>(), 1e-5 * size)
        << part.name;
  }
}

TEST_P(HuggingFaceFamily, DecodesToTheSameLogits) {
  NoGrad no_grad;
  int64_t row = 0;
  for (const auto& expected : golden_.at("last_logits")) {
    const auto tokens =
        golden_.at("tokens")[static_cast<size_t>(row++)].get<std::vector<int64_t>>();
    KvCache cache = lm_.begin(completions_from({tokens}));
    const Tensor logits = lm_.step(cache, torch::tensor({tokens.back()}))[0].to(torch::kDouble);
    EXPECT_LT((logits - golden_tensor(expected)).abs().max().item<double>(), 2e-5);
  }
}

TEST_P(HuggingFaceFamily, IsSavedAsItWasRead) {
  const test::TemporaryFolder temporary;
  model::save_hugging_face(temporary / "model", lm_, {{"tokenizer.json", "{}"}});
  const CausalLM again = model::load_hugging_face(temporary / "model");
  EXPECT_EQ(again.config(), lm_.config());
  const auto a = lm_.named_parameters(), b = again.named_parameters();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
}

TEST_P(HuggingFaceFamily, MakesRewardModelsThatAreReadAgain) {
  const test::TemporaryFolder temporary;
  Generator generator(1);
  ScalarModel scalar(lm_.trunk(), 0.1, generator);
  scalar.shift(0.25);
  model::save_hugging_face(temporary / "reward", scalar);
  const ScalarModel again = model::load_hugging_face_scalar(temporary / "reward");
  const auto a = scalar.named_parameters(), b = again.named_parameters();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
}

INSTANTIATE_TEST_SUITE_P(Families, HuggingFaceFamily,
                         testing::Values("llama", "mistral", "qwen2", "qwen3", "gpt2"),
                         [](const auto& family) { return std::string(family.param); });

}  // namespace
}  // namespace rlhf
