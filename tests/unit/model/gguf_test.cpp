#include "rlhf/model/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../../src/model/rotary.hpp"
#include "../../../src/model/weight_names.hpp"
#include "support/error_of.hpp"
#include "support/gguf_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::error_of;
using test::GgufBytes;
using testing::HasSubstr;

constexpr TransformerConfig config{.vocab_size = 9,
                                   .dim = 8,
                                   .hidden_dim = 8,
                                   .layers = 2,
                                   .heads = 2,
                                   .kv_heads = 1,
                                   .head_dim = 4,
                                   .context_length = 16,
                                   .norm_epsilon = 1e-5F};  // as files keep it
constexpr uint32_t type_f32 = 0;

/// The file of a model: queries and keys in neighbouring pairs, every tensor on 32 bytes.
std::string file_of(const CausalLM& lm, const std::string& architecture = "llama",
                    const std::string& left_out = "", const Tensor& factors = {}) {
  std::vector<model::WeightPart> parts;
  const auto head_size = static_cast<uint32_t>(lm.config().head_size());
  if (factors.defined()) parts.push_back({.name = "rope_freqs.weight", .rows = factors});
  for (auto& part : model::weight_parts(lm.trunk(), model::gguf_names())) {
    if (part.name != left_out) parts.push_back(part);
  }
  GgufBytes bytes(parts.size(), 10);
  bytes.text("general.architecture", architecture)
      .integer(architecture + ".embedding_length", 8)
      .integer(architecture + ".feed_forward_length", 8)
      .integer(architecture + ".block_count", 2)
      .integer(architecture + ".attention.head_count", 2)
      .integer(architecture + ".attention.head_count_kv", 1)
      .integer(architecture + ".attention.key_length", head_size)
      .integer(architecture + ".context_length", 16)
      .key(architecture + ".rope.freq_base", test::gguf_float32)
      .number(static_cast<float>(lm.config().rope_base))
      .key(architecture + ".attention.layer_norm_rms_epsilon", test::gguf_float32)
      .number(1e-5F);
  std::string data;
  for (const auto& part : parts) {
    if (part.rows.dim() == 1) {
      bytes.tensor(part.name, {static_cast<uint64_t>(part.rows.size(0))}, type_f32, data.size());
    } else {
      bytes.tensor(
          part.name,
          {static_cast<uint64_t>(part.rows.size(1)), static_cast<uint64_t>(part.rows.size(0))},
          type_f32, data.size());
    }
    Tensor rows = part.rows;
    if (part.rotates && architecture == "llama") {  // halves back to pairs
      rows = rows.view({-1, 2, lm.config().head_size() / 2, rows.size(1)})
                 .transpose(1, 2)
                 .contiguous();
    }
    data.append(static_cast<const char*>(rows.const_data_ptr()),
                static_cast<size_t>(rows.nbytes()));
    data.resize((data.size() + 31) / 32 * 32, '\0');
  }
  bytes.data(0);
  return bytes.bytes() + data;
}

CausalLM random_model(const TransformerConfig& shape = config) {
  Generator generator(3);
  CausalLM lm(shape, generator);
  NoGrad no_grad;
  for (auto& [name, weight] : lm.named_parameters()) generator.fill_normal(weight, 1.0, 0.5);
  return lm;
}

TEST(GgufModel, HasTheWeightsThatWereWritten) {
  TransformerConfig qwen2 = config, qwen3 = config;
  qwen2.bias = Bias::qkv;
  qwen3.query_key_norm = true;
  for (const auto& [architecture, shape] :
       {std::pair{"llama", config}, {"qwen2", qwen2}, {"qwen3", qwen3}}) {
    const test::TemporaryFolder folder;
    const CausalLM lm = random_model(shape);
    const CausalLM read = model::load_gguf(folder.put("model.gguf", file_of(lm, architecture)));
    EXPECT_EQ(read.config(), lm.config()) << architecture;
    const auto a = lm.named_parameters(), b = read.named_parameters();
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

TEST(GgufModel, HasTheRotationOfLlama3WhereATensorHoldsItsFactors) {
  TransformerConfig scaled = config;
  scaled.head_dim = 16;
  scaled.rope_base = 500000;
  scaled.rope_scaling = {.factor = 8, .low = 1, .high = 4, .original_context = 8192};
  TransformerConfig plain = scaled;
  plain.rope_scaling = {};
  const Tensor factors =
      (model::rotary_frequencies(plain) / model::rotary_frequencies(scaled)).to(torch::kFloat32);
  const test::TemporaryFolder folder;
  const CausalLM lm = random_model(scaled);
  const CausalLM read =
      model::load_gguf(folder.put("model.gguf", file_of(lm, "llama", "", factors)));
  EXPECT_EQ(read.config(), scaled);
  const auto path = folder.put("other.gguf", file_of(lm, "llama", "", factors.sqrt()));
  EXPECT_THAT(
      error_of([&] { model::load_gguf(path); }),
      HasSubstr("other.gguf: \"rope_freqs.weight\": expected the factors of Llama 3's rotation"));
}

TEST(GgufModel, OfAnotherArchitectureIsRefusedByName) {
  const test::TemporaryFolder folder;
  const auto path = folder.put("model.gguf", file_of(random_model(), "gemma"));
  EXPECT_THAT(
      error_of([&] { model::load_gguf(path); }),
      HasSubstr("model.gguf: metadata \"general.architecture\": expected llama, qwen2 or qwen3, "
                "got gemma"));
}

TEST(GgufModel, WithoutATensorIsRefusedByItsName) {
  const test::TemporaryFolder folder;
  for (const std::string name : {"blk.1.attn_k.weight", "blk.1.ffn_down.weight"}) {
    const auto path = folder.put("model.gguf", file_of(random_model(), "llama", name));
    EXPECT_THAT(error_of([&] { model::load_gguf(path); }),
                HasSubstr("model.gguf: expected a tensor \"" + name + "\", got none"));
  }
}

}  // namespace
}  // namespace rlhf
