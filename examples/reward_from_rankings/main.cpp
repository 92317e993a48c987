/// A reward model from a JSONL file of rankings, nothing else:
///
///   reward_from_rankings rankings.jsonl        {"prompt": ..., "responses": [best, ..., worst]}
///
/// A small decoder is trained from scratch on the pairs; every tenth ranking is held out.
#include <CLI/CLI.hpp>
#include <iostream>

#include "rlhf/rlhf.hpp"

int main(int argc, char** argv) try {
  std::string file;
  int64_t epochs = 10;
  uint64_t seed = 1;
  CLI::App app{"Trains a reward model on rankings"};
  app.add_option("rankings", file,
                 "JSONL: prompt with responses (best first), or chosen and rejected")
      ->required();
  app.add_option("--epochs", epochs, "passes over the rankings")->capture_default_str();
  app.add_option("--seed", seed, "of weights and order")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  // Rows, and a tokenizer of their characters.
  const auto rows = rlhf::data::read_all<rlhf::data::Ranking>(file);
  std::string corpus;
  for (const auto& row : rows) {
    corpus += rlhf::data::text_of(row.prompt, row.source);
    for (const auto& response : row.responses) corpus += rlhf::data::text_of(response, row.source);
  }
  const auto tokenizer = rlhf::CharacterTokenizer::from_corpus(corpus);
  const rlhf::Rankings all = rlhf::data::tokenize(
      tokenizer, std::span(rows), {.max_tokens = 512, .too_long = rlhf::data::TooLong::drop});

  std::vector<int64_t> learnt, held_out;
  for (int64_t group = 0; group < all.size(); ++group)
    (group % 10 == 9 ? held_out : learnt).push_back(group);
  const rlhf::Rankings training = select(all, rlhf::int64_tensor(learnt));
  const rlhf::Rankings test = select(all, rlhf::int64_tensor(held_out));

  rlhf::Generator generator(seed);
  const rlhf::CausalLM trunk({.vocab_size = tokenizer.vocabulary().size(),
                              .dim = 64,
                              .hidden_dim = 172,
                              .layers = 2,
                              .heads = 4,
                              .context_length = 512},
                             generator);
  rlhf::RewardModel model(trunk, generator);

  const int64_t batch = std::min<int64_t>(16, training.size());
  rlhf::Loader loader{training, {.batch_size = batch, .seed = seed}};
  const int64_t steps = epochs * loader.batches_left();
  rlhf::RewardTrainer trainer{model,
                              {.optimizer = {.learning_rate = 3e-3},
                               .schedule = {.shape = rlhf::Schedule::Shape::cosine,
                                            .warmup_steps = 10,
                                            .total_steps = steps},
                               .micro_batch_tokens = 8192}};
  std::cout << training.size() << " rankings to learn, " << test.size() << " held out\n"
            << "epoch  loss  accuracy  held-out accuracy\n";
  while (loader.epoch() < epochs) {
    const int64_t epoch = loader.epoch() + 1;
    rlhf::RewardStats last;
    for (const auto& rankings : loader) last = trainer.step(rankings);
    std::cout << epoch << "  " << last.loss << "  " << last.accuracy << "  "
              << (test.size() > 0 ? trainer.evaluate(test).accuracy : 0.0) << "\n";
  }
} catch (const rlhf::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
