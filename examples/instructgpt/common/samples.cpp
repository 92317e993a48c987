#include "common/samples.hpp"

#include <algorithm>

#include "rlhf/rollout/sample.hpp"

namespace instructgpt {

Samples::Samples(const ModelFolder& folder, const rlhf::Completions& completions,
                 int64_t context_length, rlhf::SamplingOptions sampling)
    : folder_(folder), sampling_(std::move(sampling)) {
  std::vector<int64_t> chosen;
  const std::vector<int64_t> lengths = rlhf::int64_vector(completions.prompt_lengths);
  for (size_t row = 0; row < lengths.size() && chosen.size() < static_cast<size_t>(most); ++row) {
    const int64_t room = context_length - lengths[row];
    if (room < 1) continue;
    chosen.push_back(static_cast<int64_t>(row));
    sampling_.max_response_tokens = std::min(sampling_.max_response_tokens, room);
  }
  prompts_ = rlhf::prompts_of(rlhf::select(completions, rlhf::int64_tensor(chosen)));
  sampling_.samples_per_prompt = 1;
  for (int64_t row = 0; row < prompts_.size(); ++row) {
    exchanges_.rows.push_back({.question = folder_.text_of(prompts_.prompt(row))});
  }
}

void Samples::add(const std::string& stage, const rlhf::CausalLM& model) {
  if (prompts_.size() == 0) return;
  rlhf::Generator generator(1);
  const rlhf::Rollout rollout = rlhf::rollout::sample(model, prompts_, sampling_, generator);
  exchanges_.stages.push_back(stage);
  for (int64_t row = 0; row < prompts_.size(); ++row) {
    exchanges_.rows[static_cast<size_t>(row)].replies.push_back(
        {.text = folder_.text_of(rollout.completions.response(row))});
  }
}

}  // namespace instructgpt
