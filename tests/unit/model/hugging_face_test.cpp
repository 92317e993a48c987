#include "rlhf/model/hugging_face.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using nlohmann::json;
using test::error_of;
using testing::HasSubstr;

CausalLM small_model() {
  Generator generator(1);
  return CausalLM({.vocab_size = 11,
                   .dim = 8,
                   .hidden_dim = 12,
                   .layers = 2,
                   .heads = 2,
                   .context_length = 32,
                   .output_layer = OutputLayer::separate},
                  generator);
}

/// What loading says where a field of the config is another one (null: is not there).
std::string said_of(const char* field, const json& value) {
  const test::TemporaryFolder folder;
  model::save_hugging_face(folder / "model", small_model());
  const auto path = folder / "model" / "config.json";
  json config = json::parse(std::ifstream(path));
  config[field] = value;
  std::ofstream(path) << config;
  return error_of([&] { model::load_hugging_face(folder / "model"); });
}

TEST(HuggingFaceModel, WhatItCannotBeIsRefusedByFileAndField) {
  const std::vector<std::tuple<const char*, json, std::string>> cases{
      {"model_type", "gemma",
       "config.json: model_type: expected llama, mistral, qwen2, qwen3 or gpt2, got \"gemma\""},
      {"model_type", nullptr, "config.json: expected a field model_type, got none"},
      {"hidden_act", "gelu", "config.json: hidden_act: expected \"silu\", got \"gelu\""},
      {"attention_bias", true, "config.json: attention_bias: expected false, got true"},
      {"mlp_bias", true, "config.json: mlp_bias: expected false, got true"},
      {"hidden_size", -8, "config.json: hidden_size: expected 0 to 2147483648, got -8"},
      {"hidden_size", "8", "config.json: hidden_size: expected 0 to 2147483648, got \"8\""},
      {"num_key_value_heads", 3, "config.json: TransformerConfig::kv_heads"},
      {"rms_norm_eps", "small", "config.json: rms_norm_eps: expected a number, got \"small\""},
      {"rope_parameters", 7, "config.json: rope_parameters: expected an object, got number"},
      {"rope_parameters", json{{"rope_type", "yarn"}},
       "config.json: rope_parameters: rope_type: expected default or llama3, got \"yarn\""},
      {"rope_parameters", json{{"rope_type", "llama3"}},
       "config.json: rope_parameters: expected a field factor, got none"},
      {"sliding_window", 4,
       "config.json: sliding_window: expected none, or at least max_position_embeddings = 32, got "
       "4"},
      {"vocab_size", 12, "shape of \"model.embed_tokens.weight\": expected [12, 8], got [11, 8]"},
      {"intermediate_size", 13, "shape of \"model.layers.0.mlp.gate_proj.weight\""},
      {"intermediate_size", 2000000000, "numbers in all tensors: expected enough for the 96000000"},
      {"max_position_embeddings", 2000000000,
       "numbers in all tensors: expected enough for the 8000"},
      {"num_hidden_layers", 3, "expected a tensor \"model.layers.2.mlp.down_proj.weight\""},
      {"num_hidden_layers", 1,
       "expected no tensor that the model has no place for, got \"model.layers.1."},
      {"num_hidden_layers", 2000000000,
       "expected a tensor \"model.layers.1999999999.mlp.down_proj.weight\""}};
  for (const auto& [field, value, message] : cases) {
    EXPECT_THAT(said_of(field, value), HasSubstr(message)) << field << " " << value;
  }
}

TEST(HuggingFaceModel, AGpt2WithoutInnerWidthIsHeldToTheLimitOfFourTimesItsOwn) {
  const test::TemporaryFolder folder;
  model::save_hugging_face(folder / "model", small_model());
  std::ofstream(folder / "model" / "config.json") << json{
      {"model_type", "gpt2"}, {"vocab_size", 11}, {"n_embd", 536870913},       {"n_layer", 1},
      {"n_head", 1},          {"n_positions", 8}, {"layer_norm_epsilon", 1e-5}};
  EXPECT_THAT(error_of([&] { model::load_hugging_face(folder / "model"); }),
              HasSubstr("config.json: n_embd: expected <= 536870912, as n_inner is four times as "
                        "much, got 536870913"));
}

TEST(HuggingFaceModel, ReadsTheRotationAsOlderFilesKeepIt) {
  const test::TemporaryFolder folder;
  model::save_hugging_face(folder / "model", small_model());
  const auto path = folder / "model" / "config.json";
  json config = json::parse(std::ifstream(path));
  config.erase("rope_parameters");
  config["rope_theta"] = 5000.0;
  config["rope_scaling"] = {{"rope_type", "llama3"},
                            {"factor", 8.0},
                            {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0},
                            {"original_max_position_embeddings", 16}};
  std::ofstream(path) << config;
  const TransformerConfig read = model::load_hugging_face(folder / "model").config();
  EXPECT_EQ(read.rope_base, 5000.0);
  EXPECT_EQ(read.rope_scaling,
            (RopeScaling{.factor = 8, .low = 1, .high = 4, .original_context = 16}));
}

TEST(HuggingFaceModel, OfLanguageIsNoRewardModel) {
  const test::TemporaryFolder folder;
  model::save_hugging_face(folder / "model", small_model());
  EXPECT_THAT(
      error_of([&] { model::load_hugging_face_scalar(folder / "model"); }),
      HasSubstr("expected a tensor \"score.weight\": a sequence classifier with one label"));
}

}  // namespace
}  // namespace rlhf
