#include "rlhf/model/save.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/safetensors.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "support/error_of.hpp"
#include "support/small_model.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::error_of;
using test::ragged_batch;
using test::sharp_model;
using test::small_config;
using testing::AllOf;
using testing::HasSubstr;

class SavedModel : public testing::Test {
 protected:
  fs::path path() const { return folder_ / "policy"; }
  fs::path config_path() const { return path() / "model.json"; }
  fs::path weights_path() const { return path() / "weights.safetensors"; }

  /// What loading says once model.json has been changed.
  std::string error_of_config(const std::function<void(json&)>& change) const {
    model::save(path(), sharp_model());
    json description = io::read_json(config_path());
    change(description);
    io::write_file_atomically(config_path(), description.dump());
    return error_of([&] { model::load_causal_lm(path()); });
  }
  /// What loading says once the weights have been changed.
  std::string error_of_weights(const std::function<void(std::vector<NamedTensor>&)>& change) const {
    model::save(path(), sharp_model());
    auto tensors = io::read_safetensors(weights_path()).tensors;
    change(tensors);
    io::write_safetensors(weights_path(), tensors);
    return error_of([&] { model::load_causal_lm(path()); });
  }

  test::TemporaryFolder folder_;
};

Tensor& named(std::vector<NamedTensor>& tensors, std::string_view name) {
  return std::find_if(tensors.begin(), tensors.end(), [&](auto& t) { return t.first == name; })
      ->second;
}

void expect_same(const TokenOutputs& a, const TokenOutputs& b) {
  EXPECT_TRUE(a.log_probs.equal(b.log_probs));
  EXPECT_EQ(a.values.has_value(), b.values.has_value());
  if (a.values) {
    EXPECT_TRUE(a.values->equal(*b.values));
  }
}

TEST_F(SavedModel, ACausalLmEvaluatesAsBefore) {
  for (const OutputLayer output : {OutputLayer::tied, OutputLayer::separate}) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      TransformerConfig config = small_config();
      config.output_layer = output;
      config.rope_base = 1234.5;
      CausalLM model = sharp_model(config);
      model.to(type);
      model::save(path(), model);
      const CausalLM loaded = model::load_causal_lm(path());
      EXPECT_EQ(loaded.config(), config);
      EXPECT_EQ(loaded.named_parameters().front().second.scalar_type(), type);
      expect_same(model.evaluate(ragged_batch()), loaded.evaluate(ragged_batch()));
    }
  }
}

TEST_F(SavedModel, EveryParameterIsFreeToLearnOnceLoaded) {
  CausalLM model = sharp_model();
  model.train_only_last(1);
  model::save(path(), model);
  for (const auto& [name, parameter] : model::load_causal_lm(path()).named_parameters()) {
    EXPECT_TRUE(parameter.requires_grad() && parameter.is_leaf()) << name;
  }
}

TEST_F(SavedModel, ARewardModelScoresAndAValueModelEstimatesAsBefore) {
  Generator generator(5);
  RewardModel reward(sharp_model(), generator);
  reward.scalar().shift(0.25);
  model::save(path(), reward.scalar());
  const RewardModel loaded{model::load_scalar_model(path())};
  EXPECT_TRUE(reward.score(ragged_batch()).equal(loaded.score(ragged_batch())));
  EXPECT_TRUE(
      reward.value_model()
          .evaluate(ragged_batch())
          .values->equal(
              *ValueModel{model::load_scalar_model(path())}.evaluate(ragged_batch()).values));
}

TEST_F(SavedModel, AnActorCriticGivesBothAsBefore) {
  ActorCritic model(sharp_model());
  for (auto& [name, parameter] : model.named_parameters()) {
    NoGrad no_grad;
    if (name.starts_with("value_head")) parameter.fill_(0.125);
  }
  model::save(path(), model);
  expect_same(model.evaluate(ragged_batch()),
              model::load_actor_critic(path()).evaluate(ragged_batch()));
}

TEST_F(SavedModel, TakesThePlaceOfAnOlderModelAndOfNothingElse) {
  model::save(path(), sharp_model());
  TransformerConfig config = small_config();
  config.layers = 1;
  model::save(path(), sharp_model(config));
  EXPECT_EQ(model::load_causal_lm(path()).config().layers, 1);
  EXPECT_EQ(folder_.entry_count(), 1);

  fs::create_directory(folder_ / "thesis");
  EXPECT_THAT(error_of([&] { model::save(folder_ / "thesis", sharp_model()); }),
              HasSubstr("thesis: expected a folder with model.json, or nothing yet"));
}

TEST_F(SavedModel, NamesAFileThatIsMissing) {
  EXPECT_THAT(error_of([&] { model::load_causal_lm(path()); }),
              HasSubstr(path().string() + ": expected a model folder, got none"));
  model::save(path(), sharp_model());
  fs::remove(weights_path());
  EXPECT_THAT(error_of([&] { model::load_causal_lm(path()); }), HasSubstr(weights_path().string()));
  fs::remove(config_path());
  EXPECT_THAT(error_of([&] { model::load_causal_lm(path()); }), HasSubstr(config_path().string()));
}

TEST_F(SavedModel, NamesTheFieldThatDoesNotFit) {
  const auto expect = [&](const std::function<void(json&)>& change, const std::string& message) {
    EXPECT_THAT(error_of_config(change), HasSubstr(config_path().string() + message));
  };
  expect([](json& d) { d.erase("numbers"); }, ": expected a field numbers, got none");
  expect([](json& d) { d["more"] = 1; }, ": expected no unknown field, got more");
  expect([](json& d) { d["format"] = "else"; }, ": format: expected rlhf-model, got \"else\"");
  expect([](json& d) { d["version"] = 1; }, ": version: expected 2, got 1");
  expect([](json& d) { d["kind"] = "actor_critic"; },
         ": kind: expected causal_lm, got \"actor_critic\"");
  expect([](json& d) { d["numbers"] = "int8"; },
         ": numbers: expected float32 or float64 or bfloat16 or float16, got \"int8\"");
  expect([](json& d) { d["transformer"] = 3; }, ": transformer: expected an object, got number");
  expect([](json& d) { d["transformer"].erase("heads"); },
         ": transformer: expected a field heads, got none");
  expect([](json& d) { d["transformer"]["experts"] = 8; },
         ": transformer: expected no unknown field, got experts");
  expect([](json& d) { d["transformer"]["dim"] = "16"; },
         ": transformer: dim: expected an integer, got \"16\"");
  expect([](json& d) { d["transformer"]["bias"] = "some"; },
         ": transformer: bias: expected none or qkv or all, got \"some\"");
  expect([](json& d) { d["transformer"]["query_key_norm"] = 1; },
         ": transformer: query_key_norm: expected true or false, got 1");
  expect([](json& d) { d["transformer"]["heads"] = 3; },
         ": transformer: TransformerConfig::kv_heads: expected a divisor of heads (3), got 2");
}

TEST_F(SavedModel, AShapeFarBeyondItsFileIsNotAllocated) {
  for (const char* field : {"vocab_size", "hidden_dim", "layers", "context_length"}) {
    EXPECT_THAT(error_of_config([&](json& d) { d["transformer"][field] = 2147483647; }),
                AllOf(HasSubstr(weights_path().string() + ": bytes: expected enough for the "),
                      HasSubstr(" numbers that model.json describes")))
        << field;
  }
}

TEST_F(SavedModel, NamesTheTensorThatDoesNotFit) {
  using Tensors = std::vector<NamedTensor>;
  const auto expect = [&](const std::function<void(Tensors&)>& change, const std::string& message) {
    EXPECT_THAT(
        error_of_weights(change),
        AllOf(HasSubstr(weights_path().string() + ": weights do not fit the model: " + message)));
  };
  expect([](Tensors& t) { std::erase_if(t, [](auto& x) { return x.first == "layers.1.down"; }); },
         "\"layers.1.down\" is missing");
  expect([](Tensors& t) { t.emplace_back("layers.2.down", torch::zeros({1})); },
         "\"layers.2.down\" is unexpected");
  expect([](Tensors& t) { named(t, "norm") = torch::zeros({15}); },
         "\"norm\": expected Float [16], got Float [15]");
  expect([](Tensors& t) { named(t, "norm") = torch::zeros({16}, at::kDouble); },
         "\"norm\": expected Float [16], got Double [16]");
}

TEST_F(SavedModel, NamesAFileThatWasCutOff) {
  model::save(path(), sharp_model());
  const std::string bytes = io::read_file(weights_path());
  for (const size_t length : {size_t{0}, size_t{100}, bytes.size() - 1}) {
    io::write_file_atomically(weights_path(), std::string_view(bytes).substr(0, length));
    EXPECT_THAT(error_of([&] { model::load_causal_lm(path()); }),
                HasSubstr(weights_path().string()));
  }
  io::write_file_atomically(weights_path(), bytes + "x");
  EXPECT_THAT(error_of([&] { model::load_causal_lm(path()); }),
              HasSubstr(weights_path().string() + ": bytes of data"));
}

}  // namespace
}  // namespace rlhf
