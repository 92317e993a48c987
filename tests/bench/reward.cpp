// Reward modelling: 32 pairs, or 2 rankings of 6, 16 .. 128 tokens a response with its prompt.
#include "rlhf/trainer/reward.hpp"

#include "jobs.hpp"
#include "rlhf/reward/reward_model.hpp"

namespace bench {
namespace {

class Reward : public Job {
 public:
  explicit Reward(const Setting& setting)
      : shape_(setting.shape),
        group_(std::ssize(setting.rows.at(0).responses)),
        batches_(setting.rows, group_ == 2 ? batch_rows : batch_rankings),
        model_(rlhf::CausalLM(setting.shape.config, generator_), generator_),
        trainer_(model_, {.optimizer = {.learning_rate = 1e-4}}) {
    model_.compute_in(setting.precision);
  }

  Work step() override {
    const auto rows = batches_.next();
    const rlhf::Rankings rankings{
        .completions = completions_of(rows),
        .group_sizes = torch::full({std::ssize(rows)}, group_, torch::kInt64)};
    trainer_.step(rankings);
    const auto responses = static_cast<double>(rankings.completions.size());
    return {.units = static_cast<double>(rankings.size()),
            .operations = shape_.trunk_learning(rankings.completions, responses)};
  }

 private:
  Shape shape_;
  int64_t group_;
  Batches batches_;
  rlhf::Generator generator_{1};
  rlhf::RewardModel model_;
  rlhf::RewardTrainer<rlhf::RewardModel> trainer_;
};

}  // namespace

std::unique_ptr<Job> make_reward(const Setting& setting) {
  return std::make_unique<Reward>(setting);
}

}  // namespace bench
