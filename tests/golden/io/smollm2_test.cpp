// A real model, tensor by tensor. Skipped where the file is not: see cmake/smollm2.sh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <map>

#include "rlhf/io/gguf.hpp"
#include "rlhf/io/gguf_tokenizer.hpp"
#include "rlhf/io/json.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;

fs::path model_path() {
  if (const char* path = std::getenv("RLHF_SMOLLM2")) return path;
  return fs::path(RLHF_DATA_DIR) / "model/SmolLM2-135M-Instruct.Q4_1.gguf";
}

/// Of smollm2.py.
std::string checksum(const std::vector<float>& numbers) {
  uint64_t sum = 0, weight = 1;
  for (const float number : numbers) {
    sum += weight * std::bit_cast<uint32_t>(number);
    weight += 2;
  }
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[sum >> shift & 15];
  return digits;
}

class SmolLm2 : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(model_path())) {
      GTEST_SKIP() << "no " << model_path()
                   << "; cmake/smollm2.sh brings it, RLHF_SMOLLM2 says where it is";
    }
    file_ = std::make_unique<GgufFile>(model_path());
    golden_ = read_json(fs::path(RLHF_GOLDEN_DIR) / "data/smollm2_q4_1.json");
  }

  std::unique_ptr<GgufFile> file_;
  nlohmann::json golden_;
};

TEST_F(SmolLm2, EveryNumberIsThatOfTheReference) {
  ASSERT_EQ(file_->tensors().size(), golden_["tensors"].size());
  std::map<std::string_view, int> types;
  for (const GgufTensor& tensor : file_->tensors()) {
    const nlohmann::json& expected = golden_["tensors"][tensor.name];
    std::vector<float> numbers(static_cast<size_t>(tensor.count()));
    file_->read(tensor.name, numbers);
    EXPECT_EQ(tensor.type, expected["type"]) << tensor.name;
    EXPECT_EQ(nlohmann::json(tensor.shape), expected["shape"]) << tensor.name;
    EXPECT_EQ(checksum(numbers), expected["checksum"]) << tensor.name;
    ++types[tensor.type];
  }
  EXPECT_EQ(types, (std::map<std::string_view, int>{{"F32", 61}, {"Q4_1", 210}, {"Q8_0", 1}}));
}

TEST_F(SmolLm2, TokenizerIsWhatPythonReads) {
  const GgufTokenizer tokenizer = read_gguf_tokenizer(file_->metadata());
  const nlohmann::json& expected = golden_["tokenizer"];
  EXPECT_EQ(tokenizer.model, expected["model"]);
  EXPECT_EQ(tokenizer.pre, expected["pre"]);
  EXPECT_EQ(tokenizer.tokens.size(), expected["tokens"]);
  EXPECT_EQ(tokenizer.tokens.back(), expected["last_token"]);
  EXPECT_EQ(tokenizer.merges.size(), expected["merges"]);
  EXPECT_EQ(tokenizer.merges.back(), expected["last_merge"]);
  EXPECT_EQ(std::count(tokenizer.kinds.begin(), tokenizer.kinds.end(), GgufTokenKind::control),
            expected["control_tokens"]);
  EXPECT_EQ(tokenizer.bos, expected["bos"].get<int64_t>());
  EXPECT_EQ(tokenizer.eos, expected["eos"].get<int64_t>());
  EXPECT_EQ(tokenizer.chat_template, expected["chat_template"].get<std::string>());
  EXPECT_EQ(tokenizer.add_bos, false);
}

TEST_F(SmolLm2, ArchitectureIsRead) {
  const GgufMetadata& metadata = file_->metadata();
  EXPECT_EQ(metadata.text("general.architecture"), "llama");
  EXPECT_EQ(metadata.integer("llama.block_count"), 30);
  EXPECT_EQ(metadata.integer("llama.attention.head_count_kv"), 3);
  EXPECT_EQ(metadata.number("llama.rope.freq_base"), 100000.0);
}

}  // namespace
}  // namespace rlhf::io
