// Sampling: 32 prompts of 16 tokens, 48 more each, temperature 1, nothing ends a response.
#include "jobs.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/rollout/sample.hpp"

namespace bench {
namespace {

class Generation : public Job {
 public:
  explicit Generation(const Setting& setting)
      : shape_(setting.shape),
        batches_(setting.rows, batch_rows),
        model_(setting.shape.config, generator_) {
    model_.decode_in(setting.precision);
    // Prompts are read by the passes over whole sequences, which know no int8.
    if (setting.precision == rlhf::Precision::bfloat16) model_.compute_in(setting.precision);
  }

  Work step() override {
    const rlhf::Completions prompts = completions_of(batches_.next());
    const rlhf::Rollout rollout = rlhf::rollout::sample(
        model_, prompts, {.max_response_tokens = response_tokens}, generator_);
    const auto made =
        static_cast<double>(rollout.completions.response_lengths.sum().item<int64_t>());
    return {.units = made, .operations = shape_.sampling(rollout.completions)};
  }

 private:
  Shape shape_;
  Batches batches_;
  rlhf::Generator generator_{1};
  rlhf::CausalLM model_;
};

}  // namespace

std::unique_ptr<Job> make_generation(const Setting& setting) {
  return std::make_unique<Generation>(setting);
}

}  // namespace bench
