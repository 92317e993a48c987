#include "rlhf/model/llama2c.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/text/llama2c_tokenizer.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path checkpoint = fs::path(RLHF_DATA_DIR) / "model" / "stories260K.bin";

#define SKIP_WITHOUT_DATA() \
  if (!fs::exists(checkpoint)) GTEST_SKIP() << "no model/stories260K.bin in RLHF_DATA_DIR"

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

TEST(Llama2c, GreedyTextFromOnceUponATimeIsSensibleEnglish) {
  SKIP_WITHOUT_DATA();
  const CausalLM model = model::load_llama2c(checkpoint);
  const auto tokenizer =
      Llama2cTokenizer::load(checkpoint.parent_path() / "tok512.bin", model.vocab_size());
  Generator generator(1);
  const Rollout r = rollout::sample(
      model, completions_from({tokenizer.encode_prompt("Once upon a time")}),
      {.temperature = 0, .max_response_tokens = 60, .end_tokens = tokenizer.end_tokens()},
      generator);
  EXPECT_EQ(
      "Once upon a time" + tokenizer.decode(r.completions.response(0)),
      "Once upon a time, there was a little girl named Lily. She loved to play outside in the "
      "park. One day, she saw a big, red ball. She wanted to play with it, but it was too "
      "high.\nLily");
}

TEST(Llama2c, BadFilesAreNamed) {
  SKIP_WITHOUT_DATA();
  const std::string bytes = io::read_file(checkpoint);
  const test::TemporaryFolder folder;
  const auto load = [&](const std::string& content) {
    model::load_llama2c(folder.put("stories.bin", content));
  };
  EXPECT_THAT(error_of([&] { load(bytes.substr(0, 20)); }), HasSubstr("at least 28 bytes, got 20"));
  EXPECT_THAT(error_of([&] { load(bytes.substr(0, 500000)); }), HasSubstr("stories.bin: size"));
  EXPECT_THAT(error_of([&] { load(bytes + "x"); }), HasSubstr("stories.bin: size"));
  std::string huge = bytes;
  huge[3] = 0x7f;
  EXPECT_THAT(error_of([&] { load(huge); }), HasSubstr("stories.bin: dim: expected 1 to 4194304"));
  EXPECT_THAT(error_of([&] { model::load_llama2c(folder / "absent.bin"); }),
              HasSubstr("absent.bin"));
}

}  // namespace
}  // namespace rlhf
