// Supervised fine-tuning: 32 demonstrations, 16 .. 128 tokens long, a quarter of them prompt.
#include "rlhf/trainer/sft.hpp"

#include "jobs.hpp"
#include "rlhf/model/causal_lm.hpp"

namespace bench {
namespace {

class Sft : public Job {
 public:
  explicit Sft(const Setting& setting)
      : shape_(setting.shape),
        batches_(setting.rows, batch_rows),
        model_(setting.shape.config, generator_),
        trainer_(model_, {.optimizer = {.learning_rate = 1e-4}}) {
    model_.compute_in(setting.precision);
  }

  Work step() override {
    const rlhf::Completions batch = completions_of(batches_.next());
    trainer_.step(batch);
    const auto tokens = static_cast<double>(batch.token_count());
    const auto answers = static_cast<double>(batch.response_lengths.sum().item<int64_t>());
    return {.units = tokens,
            .operations = shape_.trunk_learning(batch, answers) + shape_.output_learning(answers)};
  }

 private:
  Shape shape_;
  Batches batches_;
  rlhf::Generator generator_{1};
  rlhf::CausalLM model_;
  rlhf::SftTrainer<rlhf::CausalLM> trainer_;
};

}  // namespace

std::unique_ptr<Job> make_sft(const Setting& setting) {
  return std::make_unique<Sft>(setting);
}

}  // namespace bench
