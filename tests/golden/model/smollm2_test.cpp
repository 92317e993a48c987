// A real model answers a real question. Skipped where the file is not: see cmake/smollm2.sh.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "rlhf/model/gguf.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/text/gguf_tokenizer.hpp"

namespace rlhf {
namespace {

std::filesystem::path model_path() {
  if (const char* path = std::getenv("RLHF_SMOLLM2")) return path;
  return std::filesystem::path(RLHF_DATA_DIR) / "model/SmolLM2-135M-Instruct.Q4_1.gguf";
}

TEST(SmolLm2Instruct, KnowsTheCapitalOfFrance) {
  if (!std::filesystem::exists(model_path())) {
    GTEST_SKIP() << "no " << model_path()
                 << "; cmake/smollm2.sh brings it, RLHF_SMOLLM2 says where it is";
  }
  const io::GgufFile file(model_path());
  const io::GgufTokenizer stored = io::read_gguf_tokenizer(file.metadata());
  const ByteLevelBpe tokenizer = gguf_tokenizer(stored);
  const std::vector<Message> question{
      {.role = "user", .content = "What is the capital of France?"}};
  const std::string prompt =
      gguf_chat_template(stored).render(question, {.add_generation_prompt = true});

  CausalLM model = model::load_gguf(file);
  Generator generator(1);
  const SamplingOptions greedy{
      .temperature = 0, .max_response_tokens = 20, .end_tokens = tokenizer.end_tokens()};
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    model.decode_in(precision);
    const Rollout rollout =
        rollout::sample(model, completions_from({tokenizer.encode(prompt)}), greedy, generator);
    EXPECT_EQ(tokenizer.decode(rollout.completions.response(0), SpecialTokens::drop),
              "The capital of France is Paris.")
        << static_cast<int>(precision);
    EXPECT_EQ(rollout.finish[0], Finish::eos);
  }
}

}  // namespace
}  // namespace rlhf
