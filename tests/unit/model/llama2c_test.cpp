#include "rlhf/model/llama2c.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/rollout/sample.hpp"

namespace rlhf {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
namespace fs = std::filesystem;

const fs::path checkpoint = fs::path(RLHF_DATA_DIR) / "model" / "stories260K.bin";

#define SKIP_WITHOUT_DATA() \
  if (!fs::exists(checkpoint)) GTEST_SKIP() << "no stories260K.bin in RLHF_DATA_DIR"

TEST(Llama2c, ReadsTheShapeOfStories260K) {
  SKIP_WITHOUT_DATA();
  const CausalLM model = model::load_llama2c(checkpoint);
  EXPECT_EQ(model.config(), (TransformerConfig{.vocab_size = 512,
                                               .dim = 64,
                                               .hidden_dim = 172,
                                               .layers = 5,
                                               .heads = 8,
                                               .kv_heads = 4,
                                               .context_length = 512}));
}

TEST(Llama2c, GreedyDecodingAgreesWithTheTrainingPass) {
  SKIP_WITHOUT_DATA();
  const CausalLM model = model::load_llama2c(checkpoint);
  Generator generator(1);
  // <s>, then "Once upon a time" in tok512.bin's pieces.
  const Completions prompt = completions_from({{1, 403, 407, 261, 378}});
  const Rollout r =
      rollout::sample(model, prompt, {.temperature = 0, .max_response_tokens = 100}, generator);
  const TokenOutputs trained = model.evaluate(r.completions);
  EXPECT_TRUE(trained.log_probs.allclose(r.log_probs, 0, 1e-4));
  // A trained model is sure of most of its own greedy tokens: far from the log(1/512) of noise.
  EXPECT_GT(trained.log_probs.mean().item<double>(), -1.0);
}

TEST(Llama2c, BadFilesAreNamed) {
  SKIP_WITHOUT_DATA();
  const std::string bytes = io::read_file(checkpoint);
  const fs::path path = fs::temp_directory_path() / "rlhf_llama2c_test.bin";
  const auto load = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    model::load_llama2c(path);
  };
  EXPECT_THAT([&] { load(bytes.substr(0, 20)); },
              ThrowsMessage<Error>(HasSubstr("at least 28 bytes, got 20")));
  EXPECT_THAT([&] { load(bytes.substr(0, 500000)); },
              ThrowsMessage<Error>(HasSubstr("rlhf_llama2c_test.bin: size")));
  EXPECT_THAT([&] { load(bytes + "x"); },
              ThrowsMessage<Error>(HasSubstr("rlhf_llama2c_test.bin: size")));
  std::string huge = bytes;
  huge[3] = 0x7f;
  EXPECT_THAT([&] { load(huge); },
              ThrowsMessage<Error>(HasSubstr("rlhf_llama2c_test.bin: dim: expected 1 to 4194304")));
  fs::remove(path);
  EXPECT_THAT([&] { model::load_llama2c(path); },
              ThrowsMessage<Error>(HasSubstr("rlhf_llama2c_test.bin")));
}

}  // namespace
}  // namespace rlhf
