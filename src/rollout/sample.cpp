#include "rlhf/rollout/sample.hpp"

namespace rlhf::rollout {

Tensor last_prompt_tokens(const Completions& prompts) {
  const Tensor last = prompts.lengths().cumsum(0) - 1;
  return prompts.tokens.index_select(0, last.to(prompts.tokens.device()));
}

namespace detail {

Growing::Growing(const Completions& prompts, const SamplingOptions& options,
                 const Generator& generator)
    : options_(options) {
  prompts.validate();
  require(prompts.size() >= 1, "prompts to sample from", ">= 1", prompts.size());
  require(prompts.longest_response() == 0, "prompts to sample from",
          "completions with empty responses", "responses");
  std::unordered_map<int64_t, int64_t> samples_of;  // so that equal ids draw different numbers
  for (int64_t row = 0; row < prompts.size(); ++row) {
    const int64_t id = prompts.id(row);
    for (int64_t s = 0; s < options.samples_per_prompt; ++s) {
      responses_.push_back(
          {.tokens = {}, .log_probs = {}, .stream = generator.stream(id, samples_of[id]++)});
    }
  }
  growing_ = responses_.size();
  for (size_t i = 0; i < responses_.size(); ++i) rows_.push_back(i);
}

Tensor Growing::append(const Tensor& logits) {
  require(logits.dim() == 2, "logits of Decoder::step", "[rows, V]", logits.sizes());
  require(logits.size(0) == std::ssize(rows_), "rows of the logits of Decoder::step", rows_.size(),
          logits.size(0));
  std::vector<double> uniforms(rows_.size(), 0.0);
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (Response& response = responses_[rows_[row]]; !response.ended) {
      uniforms[row] = response.stream.uniform();
    }
  }
  const Draw drawn = draw(logits, uniforms, options_);
  const int64_t* token = drawn.tokens.const_data_ptr<int64_t>();
  const float* log_prob = drawn.log_probs.const_data_ptr<float>();
  for (size_t row = 0; row < rows_.size(); ++row) {
    Response& response = responses_[rows_[row]];
    if (response.ended) continue;
    response.tokens.push_back(token[row]);
    response.log_probs.push_back(log_prob[row]);
    const bool at_end =
        std::ranges::find(options_.end_tokens, token[row]) != options_.end_tokens.end();
    if (at_end) response.finish = Finish::eos;
    response.ended = at_end || std::ssize(response.tokens) >= options_.max_response_tokens;
    growing_ -= response.ended ? 1 : 0;
  }
  return drawn.tokens;
}

std::optional<Tensor> Growing::rows_to_keep() {
  // Moving the cache costs about as much as a step, so an eighth of the rows must have ended.
  if (rows_.size() - growing_ < std::max<size_t>(1, rows_.size() / 8)) return std::nullopt;
  std::vector<int64_t> kept;
  std::vector<size_t> responses;
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (responses_[rows_[row]].ended) continue;
    kept.push_back(static_cast<int64_t>(row));
    responses.push_back(rows_[row]);
  }
  rows_ = std::move(responses);
  return int64_tensor(kept);
}

Rollout Growing::finish(const Completions& prompts) && {
  const Tensor rows = torch::arange(prompts.size()).repeat_interleave(options_.samples_per_prompt);
  std::vector<std::vector<int64_t>> tokens;
  std::vector<float> log_probs;
  Rollout result;
  for (Response& response : responses_) {
    log_probs.insert(log_probs.end(), response.log_probs.begin(), response.log_probs.end());
    tokens.push_back(std::move(response.tokens));
    result.finish.push_back(response.finish);
  }
  result.completions =
      with_responses(options_.samples_per_prompt > 1 ? select(prompts, rows) : prompts, tokens);
  if (!result.completions.ids) result.completions.ids = rows;
  result.log_probs =
      pad_responses(torch::tensor(log_probs), result.completions).to(prompts.tokens.device());
  return result;
}

}  // namespace detail
}  // namespace rlhf::rollout
