#include "rlhf/model/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
                                   .context_length = 16};
constexpr uint32_t type_f32 = 0;

/// The file of a model: queries and keys in neighbouring pairs, every tensor on 32 bytes.
std::string file_of(const CausalLM& lm, const std::string& architecture = "llama",
                    const std::string& left_out = "") {
  std::vector<model::WeightPart> parts;
  for (auto& part : model::weight_parts(lm.trunk(), model::gguf_names())) {
    if (part.name != left_out) parts.push_back(part);
  }
  GgufBytes bytes(parts.size(), 8);
  bytes.text("general.architecture", architecture)
      .integer("llama.embedding_length", 8)
      .integer("llama.feed_forward_length", 8)
      .integer("llama.block_count", 2)
      .integer("llama.attention.head_count", 2)
      .integer("llama.attention.head_count_kv", 1)
      .integer("llama.context_length", 16)
      .key("llama.attention.layer_norm_rms_epsilon", test::gguf_float32)
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
    if (part.rotates) {  // halves back to pairs
      rows = rows.view({-1, 2, config.head_size() / 2, rows.size(1)}).transpose(1, 2).contiguous();
    }
    data.append(static_cast<const char*>(rows.const_data_ptr()),
                static_cast<size_t>(rows.nbytes()));
    data.resize((data.size() + 31) / 32 * 32, '\0');
  }
  bytes.data(0);
  return bytes.bytes() + data;
}

CausalLM random_model() {
  Generator generator(3);
  return CausalLM(config, generator);
}

TEST(GgufModel, HasTheWeightsThatWereWritten) {
  const test::TemporaryFolder folder;
  const CausalLM lm = random_model();
  const CausalLM read = model::load_gguf(folder.put("model.gguf", file_of(lm)));
  EXPECT_EQ(read.config().kv_heads, 1);
  const auto a = lm.named_parameters(), b = read.named_parameters();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
}

TEST(GgufModel, OfAnotherArchitectureIsRefusedByName) {
  const test::TemporaryFolder folder;
  const auto path = folder.put("model.gguf", file_of(random_model(), "gemma"));
  EXPECT_THAT(error_of([&] { model::load_gguf(path); }),
              HasSubstr("model.gguf: metadata \"general.architecture\": expected \"llama\", got "
                        "\"gemma\""));
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
