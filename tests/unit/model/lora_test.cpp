#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/io/safetensors.hpp"
#include "rlhf/model/hugging_face.hpp"
#include "rlhf/model/lora_files.hpp"
#include "rlhf/model/save.hpp"
#include "rlhf/model/scalar_head.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using nlohmann::json;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

class Lora : public testing::Test {
 protected:
  static CausalLM random_base() {
    Generator generator(4);
    CausalLM base({.vocab_size = 13,
                   .dim = 8,
                   .hidden_dim = 12,
                   .layers = 2,
                   .heads = 2,
                   .kv_heads = 1,
                   .context_length = 32},
                  generator);
    NoGrad no_grad;
    for (auto& [name, weight] : base.named_parameters()) weight.mul_(weight.dim() == 2 ? 8 : 1);
    return base;
  }
  /// Adapters that change something.
  CausalLM adapted(const LoraOptions& options = {.rank = 3, .alpha = 6}) {
    CausalLM model = base_.with_adapters(options, generator_);
    NoGrad no_grad;
    for (auto& [name, weight] : model.named_parameters()) {
      if (name.ends_with("lora_b")) generator_.fill_normal(weight, 0, 0.5);
    }
    return model;
  }
  Tensor log_probs_of(const CausalLM& model) const {
    NoGrad no_grad;
    return model.evaluate(rows_).log_probs;
  }
  Generator generator_{9};
  CausalLM base_ = random_base();
  Completions rows_ = completions_from({{1, 2}, {3}}, {{4, 5, 6}, {7, 8}});
  test::TemporaryFolder folder_;
};

TEST_F(Lora, ChangesNothingUntilItHasLearnt) {
  const CausalLM model = base_.with_adapters({.rank = 3}, generator_);
  EXPECT_TRUE(log_probs_of(model).equal(log_probs_of(base_)));
}

TEST_F(Lora, SharesTheBaseAndLearnsByAdaptersAlone) {
  const CausalLM model = adapted();
  std::map<std::string, Tensor> of_base;
  for (const auto& [name, weight] : base_.named_parameters()) of_base[name] = weight;
  for (const auto& [name, weight] : model.named_parameters()) {
    const bool adapter = name.find("_lora_") != std::string::npos;
    EXPECT_EQ(weight.requires_grad(), adapter) << name;
    if (adapter) continue;
    EXPECT_EQ(weight.data_ptr(), of_base.at(name).data_ptr()) << name;
  }
  EXPECT_FALSE(log_probs_of(model).allclose(log_probs_of(base_)));
  EXPECT_TRUE(log_probs_of(model.view()).equal(log_probs_of(base_)));
}

TEST_F(Lora, SamplesAsItEvaluates) {
  const std::vector<std::vector<std::string>> targets{
      {"all-linear"}, {"k_proj", "up_proj"}, {"(q|v)_proj", "o_proj"}, {"gate_proj", "down_proj"}};
  const std::vector<std::pair<Precision, double>> precisions{
      {Precision::float32, 1e-6}, {Precision::bfloat16, 0.02}, {Precision::int8, 0.05}};
  NoGrad no_grad;
  for (const auto& some : targets) {
    for (const auto& [precision, tolerance] : precisions) {
      CausalLM model = adapted({.rank = 3, .alpha = 5, .targets = some});
      model.decode_in(precision);
      KvCache cache = model.begin(completions_from({{1, 2, 4, 5}, {3}}));
      Tensor logits = model.step(cache, torch::tensor({5, 3}));
      logits = model.step(cache, torch::tensor({6, 7})).log_softmax(-1);
      CausalLM merged = model.merged();
      merged.decode_in(Precision::float32);
      KvCache other = merged.begin(completions_from({{1, 2, 4, 5, 6}, {3, 7}}));
      const Tensor expected = merged.step(other, torch::tensor({6, 7})).log_softmax(-1);
      EXPECT_LT((logits - expected).norm().item<double>(),
                tolerance * expected.norm().item<double>())
          << some.front() << " " << static_cast<int>(precision);
    }
  }
}

TEST_F(Lora, MergedIsAModelOfItsOwn) {
  const CausalLM model = adapted();
  const Tensor before = log_probs_of(base_);
  CausalLM merged = model.merged();
  EXPECT_LT((log_probs_of(merged) - log_probs_of(model)).abs().max().item<double>(), 1e-5);
  NoGrad no_grad;
  for (auto& [name, weight] : merged.named_parameters()) {
    EXPECT_TRUE(weight.requires_grad()) << name;
    weight.zero_();
  }
  EXPECT_TRUE(log_probs_of(base_).equal(before));
  EXPECT_THAT(error_of([&] { merged.merged(); }),
              HasSubstr("model to merge: expected one with adapters, got none"));
}

TEST_F(Lora, SelectsByPattern) {
  const auto adapters_of = [&](const std::vector<std::string>& targets) {
    const CausalLM model = base_.with_adapters({.rank = 2, .targets = targets}, generator_);
    std::string found;
    for (const auto& [name, weight] : model.named_parameters()) {
      if (name.ends_with("lora_b")) found += name + std::to_string(weight.size(0)) + " ";
    }
    return found;
  };
  EXPECT_EQ(adapters_of({"q_proj", "v_proj"}), "layers.0.qkv_lora_b12 layers.1.qkv_lora_b12 ");
  EXPECT_EQ(adapters_of({".*layers\\.1\\.mlp.*"}),
            "layers.1.gate_up_lora_b24 layers.1.down_lora_b8 ");
  EXPECT_THAT(error_of([&] {
                adapters_of({"q_proj", "c_attn"});
              }),
              HasSubstr("LoraOptions::targets: \"c_attn\": expected a pattern that selects some of "
                        "model.layers.0.self_attn.q_proj, "));
  EXPECT_THAT(error_of([&] { adapters_of({"(q_proj"}); }),
              HasSubstr("expected regular expressions"));
  EXPECT_THAT(error_of([&] { adapters_of({}); }), HasSubstr("at least one pattern"));
  EXPECT_THAT(error_of([&] { base_.with_adapters({.rank = 0}, generator_); }),
              HasSubstr("LoraOptions::rank: expected >= 1, got 0"));
}

TEST_F(Lora, MergesInPlaceAndBack) {
  CausalLM model = adapted();
  EXPECT_THAT(error_of([&] { model.merge(); }),
              AllOf(HasSubstr("weights that are this model's alone; merged() makes a copy"),
                    HasSubstr("layers.0.qkv of a base that others share")));
  model = model.clone();
  const Tensor before = log_probs_of(model);
  const auto count = model.named_parameters().size();
  model.merge();
  EXPECT_TRUE(log_probs_of(model).allclose(before, 1e-5, 1e-5));
  EXPECT_LT(model.named_parameters().size(), count);
  EXPECT_FALSE(log_probs_of(model).allclose(log_probs_of(base_)));
  EXPECT_THAT(error_of([&] { model.merge(); }), HasSubstr("adapters that are not merged yet"));
  EXPECT_THAT(error_of([&] { model.merged(); }), HasSubstr("adapters that are not merged yet"));
  model.unmerge();
  EXPECT_TRUE(log_probs_of(model).allclose(before, 1e-5, 1e-5));
  EXPECT_TRUE(log_probs_of(model.view()).allclose(log_probs_of(base_), 1e-5, 1e-5));
  EXPECT_EQ(model.named_parameters().size(), count);
  EXPECT_THAT(error_of([&] { model.unmerge(); }), HasSubstr("model to unmerge"));
  EXPECT_THAT(error_of([&] { base_.merge(); }), HasSubstr("expected one with adapters"));
}

TEST_F(Lora, MergedOnesBelongToTheirModelAlone) {
  CausalLM model = adapted().clone();
  const Tensor before = log_probs_of(model);
  model.merge();
  CausalLM copy = model.clone();
  {
    const CausalLM view = model.view();
    EXPECT_THAT(error_of([&] { model.unmerge(); }),
                HasSubstr("layers.0.qkv of a base that others share"));
    EXPECT_TRUE(log_probs_of(model).allclose(before, 1e-5, 1e-5));
  }
  model.unmerge();
  {
    NoGrad no_grad;
    for (auto& [name, weight] : model.named_parameters()) weight.add_(1);
  }
  copy.unmerge();
  EXPECT_TRUE(log_probs_of(copy).allclose(before, 1e-5, 1e-5));
  copy.merge();
  copy.to(torch::kFloat64);
  copy.unmerge();
  EXPECT_TRUE(log_probs_of(copy).to(torch::kFloat32).allclose(before, 1e-5, 1e-5));
}

TEST_F(Lora, FilesOfWholeModelsHaveNoPlaceForAdapters) {
  const CausalLM model = adapted();
  const ScalarModel scalar =
      ScalarModel(base_.trunk(), 0.5, generator_).with_adapters({.rank = 3}, generator_);
  const auto refused = HasSubstr("model to save: expected one without adapters: merged()");
  EXPECT_THAT(error_of([&] { model::save(folder_ / "model", model); }), refused);
  EXPECT_THAT(error_of([&] { model::save(folder_ / "model", scalar); }), refused);
  EXPECT_THAT(error_of([&] { model::save_hugging_face(folder_ / "model", model); }), refused);
  EXPECT_THAT(error_of([&] { model::save_hugging_face(folder_ / "model", scalar); }), refused);
  model::save_hugging_face(folder_ / "model", model.merged());
  EXPECT_TRUE(log_probs_of(model::load_hugging_face(folder_ / "model"))
                  .allclose(log_probs_of(model), 1e-4, 1e-5));
}

TEST_F(Lora, MayStandBesideTheUpperLayersAlone) {
  const CausalLM model = adapted({.rank = 2, .targets = {"q_proj"}, .first_layer = 1});
  for (const auto& [name, weight] : model.named_parameters()) {
    EXPECT_EQ(weight.requires_grad(), name.starts_with("layers.1.qkv_lora")) << name;
  }
  model::save_lora(folder_ / "upper", model);
  const json config = json::parse(std::ifstream(folder_ / "upper/adapter_config.json"));
  EXPECT_EQ(config.at("target_modules"), json({"q_proj"}));
  EXPECT_EQ(config.at("layers_to_transform"), json({1}));
  const CausalLM read = model::load_lora(folder_ / "upper", base_);
  EXPECT_EQ(read.trunk().adapters()->options.first_layer, 1);
  EXPECT_TRUE(log_probs_of(read).equal(log_probs_of(model)));

  EXPECT_THAT(
      error_of([&] { adapted({.first_layer = 2}); }),
      HasSubstr("LoraOptions::first_layer: expected >= frozen layers = 0 and < layers = 2"));
}

TEST_F(Lora, FrozenLayersAreOneForAllModelsAndTakeNoAdapters) {
  const Tensor before = log_probs_of(base_);
  base_.freeze_lowest(1);
  EXPECT_THAT(error_of([&] { adapted(); }), HasSubstr("expected >= frozen layers = 1"));
  const CausalLM model = adapted({.first_layer = 1}), copy = base_.clone();
  std::map<std::string, Tensor> of_copy;
  for (const auto& [name, weight] : copy.named_parameters()) of_copy[name] = weight;
  for (const auto& [name, weight] : base_.named_parameters()) {
    const bool shared = name == "embedding" || name.starts_with("layers.0");
    EXPECT_EQ(weight.data_ptr() == of_copy.at(name).data_ptr(), shared) << name;
    EXPECT_EQ(weight.requires_grad(), !shared) << name;
  }
  EXPECT_TRUE(log_probs_of(base_).equal(before));
  // What is remembered is not what the weights no longer say.
  {
    NoGrad no_grad;
    base_.trunk().named_parameters()[1].second.mul_(2);  // layers.0.attention_norm
  }
  EXPECT_FALSE(log_probs_of(base_).allclose(before));
  const CausalLM merged = model.merged();
  EXPECT_EQ(merged.trunk().frozen_layers(), 0);
  EXPECT_TRUE(merged.trunk().embedding().requires_grad());
  EXPECT_NE(merged.trunk().embedding().data_ptr(), base_.trunk().embedding().data_ptr());
  EXPECT_TRUE(log_probs_of(merged).allclose(log_probs_of(model), 1e-4, 1e-5));

  base_.trunk().embedding().requires_grad_(true);
  EXPECT_THAT(error_of([&] { log_probs_of(base_); }), HasSubstr("weight of a frozen layer"));
  EXPECT_THAT(error_of([&] { base_.freeze_lowest(2); }),
              HasSubstr("layers to freeze: expected >= 1 and < layers = 2"));
}

TEST_F(Lora, IsReadAsItWasWritten) {
  for (const LoraOptions& options : {LoraOptions{.rank = 3, .alpha = 6},
                                     LoraOptions{.rank = 2, .targets = {"q_proj", "down_proj"}},
                                     LoraOptions{.targets = {".*layers\\.1\\.self_attn.*"}}}) {
    const CausalLM model = adapted(options);
    model::save_lora(folder_ / "adapter", model, "the base");
    const CausalLM again = model::load_lora(folder_ / "adapter", base_);
    EXPECT_TRUE(log_probs_of(again).equal(log_probs_of(model)));
  }
}

TEST_F(Lora, FilesThatDoNotFitAreRefusedByFileAndField) {
  const auto path = folder_ / "adapter";
  const auto said_of = [&](const char* field, const json& value) {
    model::save_lora(path, adapted());
    json config = json::parse(std::ifstream(path / "adapter_config.json"));
    config[field] = value;
    std::ofstream(path / "adapter_config.json") << config;
    return error_of([&] { model::load_lora(path, base_); });
  };
  const std::vector<std::tuple<const char*, json, std::string>> cases{
      {"peft_type", "LOHA", "adapter_config.json: peft_type: expected \"LORA\", got \"LOHA\""},
      {"r", 0, "adapter_config.json: r: expected 1 to 1048576, got 0"},
      {"r", "3", "adapter_config.json: r: expected a number, got \"3\""},
      {"r", 4,
       "adapter_config.json: r: expected the rows of the lora_A matrices in "
       "adapter_model.safetensors, got 4"},
      {"r", 1 << 20, "adapter_model.safetensors, got 1048576"},
      {"target_modules", std::string(1 << 17, '('),
       "LoraOptions::targets: expected patterns of at most 65536 bytes, got 131072"},
      {"target_modules", std::string(1 << 15, '('),
       "LoraOptions::targets: expected regular expressions, got pattern"},
      {"target_modules", "(([a-z._0-9]+)*)*[!?]", "match limit exceeded"},
      {"target_modules", "q_proj)|(?:.*", "LoraOptions::targets: expected regular expressions"},
      {"init_lora_weights", "pissa",
       "adapter_config.json: init_lora_weights: expected true, false, \"gaussian\", \"eva\" or "
       "\"orthogonal\", which leave the base as it is, got \"pissa\""},
      {"alora_invocation_tokens", json{1, 2},
       "adapter_config.json: alora_invocation_tokens: expected none"},
      {"target_modules", json(std::vector<std::string>(5000, "q_proj")),
       "adapter_config.json: target_modules: expected at most 4096 names, got 5000"},
      {"lora_alpha", nullptr, "adapter_config.json: lora_alpha: expected a number, got none"},
      {"bias", "all", "adapter_config.json: bias: expected \"none\", got \"all\""},
      {"use_dora", true, "adapter_config.json: use_dora: expected false, got true"},
      {"rank_pattern", json{{"q_proj", 2}}, "adapter_config.json: rank_pattern: expected none"},
      {"modules_to_save", json{"score"}, "adapter_config.json: modules_to_save: expected none"},
      {"target_modules", 7,
       "adapter_config.json: target_modules: expected names or a pattern, got 7"},
      {"target_modules", json{"c_attn"},
       "adapter_config.json: LoraOptions::targets: \"(.*\\.)?c_attn\""},
      {"target_modules", json{"q_proj"},
       "adapter_model.safetensors: expected no tensor that the base has no place for"}};
  for (const auto& [field, value, message] : cases) {
    EXPECT_THAT(said_of(field, value), HasSubstr(message)) << field << " " << value;
  }
  model::save_lora(path, adapted({.rank = 3, .targets = {"q_proj"}}));
  json config = json::parse(std::ifstream(path / "adapter_config.json"));
  config["target_modules"] = {"q_proj", "k_proj"};
  std::ofstream(path / "adapter_config.json") << config;
  EXPECT_THAT(
      error_of([&] { model::load_lora(path, base_); }),
      HasSubstr("expected a tensor "
                "\"base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight\", got none"));
  EXPECT_THAT(error_of([&] { model::save_lora(path, base_); }), HasSubstr("one with adapters"));
}

TEST_F(Lora, OfAScalarModelShareItsTrunkAndMerge) {
  ScalarModel plain(base_.trunk(), 0.5, generator_);
  const ScalarModel adapted = plain.with_adapters({.rank = 3, .alpha = 6}, generator_);
  {
    NoGrad no_grad;
    for (auto& [name, weight] : adapted.named_parameters()) {
      if (name.ends_with("lora_b")) generator_.fill_normal(weight, 0, 0.5);
    }
  }
  NoGrad no_grad;
  const Tensor last = rows_.lengths().cumsum(0) - 1;
  EXPECT_TRUE(adapted.trunk().embedding().is_alias_of(plain.trunk().embedding()));
  EXPECT_FALSE(torch::allclose(adapted.at(rows_, last), plain.at(rows_, last)));
  const ScalarModel merged = adapted.merged();
  EXPECT_TRUE(torch::allclose(adapted.at(rows_, last), merged.at(rows_, last), 1e-5, 1e-5));
  plain.shift(1);  // each has a head of its own
  EXPECT_EQ(merged.named_parameters().back().second.item<float>(), 0);
  EXPECT_EQ(adapted.named_parameters().back().second.item<float>(), 0);
}

}  // namespace
}  // namespace rlhf
