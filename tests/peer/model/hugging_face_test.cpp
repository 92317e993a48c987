// Folders that we write give the same logits in transformers. Skipped where RLHF_PYTHON (python3
// unless set) lacks safetensors, torch or transformers.
#include "rlhf/model/hugging_face.hpp"

#include <gtest/gtest.h>

#include "rlhf/model/lora_files.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "support/python.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using nlohmann::json;
using test::ask_python;

const std::filesystem::path script =
    std::filesystem::path(RLHF_GOLDEN_DIR) / "../peer/model/hugging_face.py";
const std::vector<int64_t> tokens{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};

class Transformers : public test::BesidePython {
 protected:
  Transformers() : BesidePython(script) {}
  static CausalLM random_model(const TransformerConfig& config) {
    Generator generator(7);
    CausalLM lm(config, generator);
    NoGrad no_grad;
    for (auto& [name, weight] : lm.named_parameters()) {
      if (name.ends_with("bias")) {
        generator.fill_normal(weight, 0, 0.5);
      } else {
        weight.mul_(weight.dim() == 2 ? 8 : 1.5);
      }
    }
    return lm;
  }
  static std::vector<TransformerConfig> configs() {
    const TransformerConfig llama{.vocab_size = 31,
                                  .dim = 24,
                                  .hidden_dim = 40,
                                  .layers = 3,
                                  .heads = 4,
                                  .kv_heads = 2,
                                  .context_length = 64};
    std::vector<TransformerConfig> all(5, llama);
    all[1].output_layer = OutputLayer::separate;
    all[1].rope_scaling = {.factor = 4, .original_context = 16};
    all[2].bias = Bias::qkv;
    all[3].query_key_norm = true;
    all[3].head_dim = 10;
    all[4].kv_heads = 0;
    all[4].norm = NormKind::layer;
    all[4].activation = Activation::gelu;
    all[4].positions = Positions::learned;
    all[4].bias = Bias::all;
    return all;
  }
  void expect_near(const json& theirs, const Tensor& ours) {
    ASSERT_EQ(theirs.size(), static_cast<size_t>(ours.numel()));
    for (size_t i = 0; i < theirs.size(); ++i) {
      EXPECT_NEAR(theirs[i].get<double>(), ours[static_cast<int64_t>(i)].item<double>(), 2e-5);
    }
  }
  test::TemporaryFolder folder_;
};

TEST_F(Transformers, GivesTheLogitsOfModelsThatWeSaved) {
  std::vector<std::string> question{"logits", json(tokens).dump()};
  std::vector<Tensor> ours;
  NoGrad no_grad;
  for (const TransformerConfig& config : configs()) {
    const CausalLM lm = random_model(config);
    question.push_back((folder_ / ("model" + std::to_string(ours.size()))).string());
    model::save_hugging_face(question.back(), lm);
    KvCache cache = lm.begin(completions_from({tokens}));
    ours.push_back(lm.step(cache, torch::tensor({tokens.back()}))[0]);
  }
  const json theirs = ask_python(script, question);
  for (size_t i = 0; i < ours.size(); ++i) expect_near(theirs[i], ours[i]);
}

TEST_F(Transformers, GivesTheScoresOfRewardModelsThatWeSaved) {
  std::vector<std::string> question{"score", json(tokens).dump()};
  std::vector<Tensor> ours;
  NoGrad no_grad;
  for (const TransformerConfig& config : configs()) {
    Generator generator(1);
    RewardModel reward(random_model(config), generator);
    question.push_back((folder_ / ("reward" + std::to_string(ours.size()))).string());
    model::save_hugging_face(question.back(), reward.scalar());
    ours.push_back(reward.score(completions_from({{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}}, {{5}})));
  }
  const json theirs = ask_python(script, question);
  for (size_t i = 0; i < ours.size(); ++i) expect_near(theirs[i], ours[i]);
}

TEST_F(Transformers, SharesAdaptersWithPeft) {
  Generator generator(2);
  NoGrad no_grad;
  const auto last_logits = [&](const CausalLM& lm) {
    KvCache cache = lm.begin(completions_from({tokens}));
    return lm.step(cache, torch::tensor({tokens.back()}))[0];
  };
  std::vector<std::string> question{"lora", json(tokens).dump()};
  std::vector<CausalLM> bases;
  std::vector<Tensor> ours;
  const auto folder = [&](const char* name) {
    return (folder_ / (name + std::to_string(bases.size()))).string();
  };
  for (const TransformerConfig& config : configs()) {
    const CausalLM base = random_model(config);
    CausalLM adapted = base.with_adapters({.rank = 4, .alpha = 6}, generator);
    for (auto& [name, weight] : adapted.named_parameters()) {
      if (name.ends_with("lora_b")) generator.fill_normal(weight, 0, 0.5);
    }
    question.insert(question.end(), {folder("base"), folder("ours"), folder("theirs")});
    model::save_hugging_face(folder("base"), base);
    model::save_lora(folder("ours"), adapted);
    ours.push_back(last_logits(adapted));
    bases.push_back(base.view());
  }
  const json theirs = ask_python(script, question);
  if (theirs == "none") GTEST_SKIP() << "without peft";
  for (size_t i = 0; i < bases.size(); ++i) {
    expect_near(theirs[2 * i], ours[i]);
    const auto made = folder_ / ("theirs" + std::to_string(i));
    expect_near(theirs[2 * i + 1], last_logits(model::load_lora(made, bases[i])));
  }
}

}  // namespace
}  // namespace rlhf
