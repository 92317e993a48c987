// Folders that we write give the same logits in transformers. Skipped where RLHF_PYTHON (python3
// unless set) lacks safetensors, torch or transformers.
#include "rlhf/model/hugging_face.hpp"

#include <gtest/gtest.h>

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

TEST_F(Transformers, GivesTheLogitsOfAModelThatWeSaved) {
  for (const TransformerConfig& config : configs()) {
    const CausalLM lm = random_model(config);
    model::save_hugging_face(folder_ / "model", lm);
    KvCache cache = lm.begin(completions_from({tokens}));
    NoGrad no_grad;
    expect_near(ask_python(script, {"logits", (folder_ / "model").string(), json(tokens).dump()}),
                lm.step(cache, torch::tensor({tokens.back()}))[0]);
  }
}

TEST_F(Transformers, GivesTheScoreOfARewardModelThatWeSaved) {
  Generator generator(1);
  for (const TransformerConfig& config : configs()) {
    RewardModel reward(random_model(config), generator);
    model::save_hugging_face(folder_ / "reward", reward.scalar());
    NoGrad no_grad;
    expect_near(ask_python(script, {"score", (folder_ / "reward").string(), json(tokens).dump()}),
                reward.score(completions_from({{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}}, {{5}})));
  }
}

}  // namespace
}  // namespace rlhf
