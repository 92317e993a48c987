/// PPO on a real pretrained model: stories260K learns to tell happier stories.
///
///   sentiment stories260K.bin tok512.bin vader_lexicon.txt
///
/// The reward reads decoded text: the mean valence of its words in the VADER lexicon (Hutto and
/// Gilbert 2014). The KL penalty keeps the language.
#include <CLI/CLI.hpp>
#include <iostream>

#include "lexicon.hpp"
#include "rlhf/rlhf.hpp"

namespace {

const std::vector<std::string> openings{"Once upon a time, there was a little girl named Lily.",
                                        "One day, a boy named Tim went to the park.",
                                        "Tom and Sue saw a big dog.",
                                        "There was a small bird in a tree.",
                                        "Mom said it was time for bed.",
                                        "The old man lived in a red house.",
                                        "A cat and a mouse were friends.",
                                        "Ben had a new toy car."};

void print_stories(const char* when, const rlhf::CausalLM& policy,
                   const rlhf::Llama2cTokenizer& tokenizer, const rlhf::Completions& prompts,
                   const Lexicon& lexicon) {
  rlhf::Generator generator(7);  // the same numbers before and after
  const rlhf::Rollout r =
      rlhf::rollout::sample(policy, prompts, {.max_response_tokens = 40}, generator);
  std::cout << "\n" << when << "\n";
  for (int64_t row = 0; row < 3; ++row) {
    const std::string text = tokenizer.decode(r.completions.response(row));
    std::cout << "  [" << lexicon.valence(text) << "] " << openings[static_cast<size_t>(row)]
              << text << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::string model_file, tokenizer_file, lexicon_file;
  int64_t steps = 40;
  CLI::App app{"PPO raises the sentiment of stories260K's continuations"};
  app.add_option("model", model_file, "stories260K.bin")->required();
  app.add_option("tokenizer", tokenizer_file, "tok512.bin")->required();
  app.add_option("lexicon", lexicon_file, "vader_lexicon.txt")->required();
  app.add_option("--steps", steps, "PPO steps")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  // The four models: policy, critic, reward, reference.
  rlhf::Generator generator(1);
  rlhf::CausalLM policy = rlhf::model::load_llama2c(model_file);
  const auto tokenizer = rlhf::Llama2cTokenizer::load(tokenizer_file, policy.vocab_size());
  const Lexicon lexicon(lexicon_file);
  rlhf::ValueModel critic{policy, generator};
  rlhf::Frozen reference{policy.clone()};
  rlhf::TextReward reward{tokenizer, [&](std::string_view, std::string_view response) {
                            return lexicon.valence(response);
                          }};

  std::vector<std::vector<int64_t>> tokens;
  for (const std::string& opening : openings) tokens.push_back(tokenizer.encode_prompt(opening));
  const rlhf::Completions prompts = rlhf::completions_from(tokens);

  rlhf::PpoOptions options{.sampling = {.max_response_tokens = 40, .samples_per_prompt = 8},
                           .kl = {.coefficient = 0.02},
                           .value_coefficient = 1.0,
                           .epochs = 2,
                           .minibatches = 4,
                           .policy_optimizer = {.learning_rate = 3e-4},
                           .critic_optimizer = {.learning_rate = 1e-3}};
  rlhf::PpoTrainer trainer{policy, critic, reward, reference, generator, options};

  print_stories("before", policy, tokenizer, prompts, lexicon);
  std::cout << "\nstep  score  kl (nats a sequence)\n";
  for (int64_t step = 1; step <= steps; ++step) {
    const rlhf::PpoStats stats = trainer.step(prompts);
    if (step % 10 == 0 || step == 1) {
      std::cout << step << "  " << stats.score_mean << "  " << stats.kl_k3 << "\n";
    }
  }
  print_stories("after", policy, tokenizer, prompts, lexicon);
} catch (const rlhf::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
