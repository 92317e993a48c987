/// Talks to a language model in a terminal: a folder of Hugging Face, such as the programs of
/// examples/instructgpt write, or a GGUF file.
///
///   chat SmolLM2-135M-Instruct.Q4_1.gguf
///
/// A line is a turn; /clear forgets the conversation, /quit or the end of the input leaves.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "speaker.hpp"

int main(int argc, char** argv) try {
  std::string path, system;
  rlhf::SamplingOptions sampling{.temperature = 0.7, .top_p = 0.95, .max_response_tokens = 512};
  rlhf::Precision precision = rlhf::Precision::float32;
  uint64_t seed = 0;
  int threads = 2;
  CLI::App app{"Talks to a language model; a line is a turn, /clear forgets, /quit leaves"};
  app.add_option("model", path, "a folder of Hugging Face, or a GGUF file")->required();
  app.add_option("--system", system, "what the conversation opens with");
  app.add_option("--temperature", sampling.temperature, "divides the logits; 0: the most likely")
      ->capture_default_str();
  app.add_option("--top-p", sampling.top_p, "draw among the fewest with this much probability")
      ->capture_default_str();
  app.add_option("--top-k", sampling.top_k, "draw among the k most likely; 0: all")
      ->capture_default_str();
  app.add_option("--max-tokens", sampling.max_response_tokens, "of an answer")
      ->capture_default_str();
  app.add_option("--seed", seed, "of the random numbers")->capture_default_str();
  app.add_option("--threads", threads)->capture_default_str();
  const std::map<std::string, rlhf::Precision> precisions{{"float32", rlhf::Precision::float32},
                                                          {"bfloat16", rlhf::Precision::bfloat16}};
  app.add_option("--precision", precision, "of the products: float32 or bfloat16")
      ->transform(CLI::CheckedTransformer(precisions));
  CLI11_PARSE(app, argc, argv);

  at::set_num_threads(threads);
  Speaker speaker = Speaker::load(path);
  speaker.model.decode_in(precision);
  Conversation conversation(speaker, sampling, seed, system);

  for (std::string line; std::cout << "> " << std::flush, std::getline(std::cin, line);) {
    if (line == "/quit") return 0;
    if (line == "/clear") conversation.clear();
    if (line.empty() || line == "/clear") continue;
    const bool ended =
        conversation.answer(line, [](std::string_view piece) { std::cout << piece << std::flush; });
    std::cout << (ended ? "\n" : " ...\n");
  }
  std::cout << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << "chat: " << error.what() << "\n";
  return 1;
}
