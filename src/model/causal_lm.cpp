#include "rlhf/model/causal_lm.hpp"

#include "rlhf/core/error.hpp"
#include "rlhf/model/token_log_probs.hpp"

namespace rlhf {

CausalLM::CausalLM(const TransformerConfig& config, Generator& generator)
    : trunk_(config, generator) {
  if (config.output_layer == OutputLayer::tied) return;
  output_ = torch::empty({config.vocab_size, config.dim});
  generator.fill_normal(output_, 0.0, 0.02);
  output_.requires_grad_();
}

CausalLM CausalLM::clone() const {
  return {trunk_.clone(), output_.defined()
                              ? output_.detach().clone().requires_grad_(output_.requires_grad())
                              : Tensor()};
}

CausalLM CausalLM::view() const {
  return {trunk_.view(), output_.defined() ? output_.detach() : Tensor()};
}

CausalLM CausalLM::with_adapters(const LoraOptions& options, Generator& generator) const {
  return {trunk_.with_adapters(options, generator),
          output_.defined() ? output_.detach() : Tensor()};
}

CausalLM CausalLM::merged() const {
  return {trunk_.merged(),
          output_.defined() ? output_.detach().clone().requires_grad_() : Tensor()};
}

TokenOutputs CausalLM::evaluate(const Completions& completions,
                                const EvaluateOptions& options) const {
  return outputs_of(response_hidden(completions), completions, options);
}

Tensor CausalLM::response_hidden(const Completions& completions) const {
  const Tensor positions = response_positions(completions);
  require(positions.size(0) > 0, "response tokens to evaluate", ">= 1", positions.size(0));
  // The token before a response token is where its distribution is read.
  return trunk_.hidden(completions, positions - 1);
}

TokenOutputs CausalLM::outputs_of(const Tensor& hidden, const Completions& completions,
                                  const EvaluateOptions& options) const {
  require(options.temperature > 0, "EvaluateOptions::temperature", "> 0", options.temperature);
  const Tensor targets = completions.tokens.index_select(0, response_positions(completions));
  const auto flat =
      model::token_log_probs(hidden, output(), targets, options.temperature, options.entropy,
                             trunk_.precision(), &trunk_.packed_weights());
  TokenOutputs outputs{.log_probs = pad_responses(flat.log_probs, completions)};
  if (options.entropy) outputs.entropy = pad_responses(flat.entropy, completions);
  return outputs;
}

std::vector<NamedTensor> CausalLM::named_parameters() const {
  auto named = trunk_.named_parameters();
  if (output_.defined()) named.emplace_back("output", output_);
  return named;
}

KvCache CausalLM::begin(const Completions& prompts, int64_t room) const {
  std::vector<int64_t> lengths = int64_vector(prompts.prompt_lengths);
  std::vector<int64_t> read;
  int64_t start = 0;
  for (int64_t& length : lengths) {
    for (int64_t k = 0; k + 1 < length; ++k) read.push_back(start + k);
    start += length;
    length -= 1;
  }
  require(start == prompts.token_count(), "prompts to sample from",
          "completions with empty responses", "responses");
  return trunk_.read(prompts.tokens.index_select(0, int64_tensor(read).to(prompts.tokens.device())),
                     lengths, room + 1, output());
}

Tensor CausalLM::step(KvCache& cache, const Tensor& tokens) const {
  return trunk_.step(cache, tokens, output());
}

void CausalLM::train_only_last(int64_t blocks) {
  trunk_.train_only_last(blocks);
  if (output_.defined()) output_.requires_grad_(false);
}

void CausalLM::to(at::ScalarType dtype) {
  trunk_.to(dtype);
  if (output_.defined())
    output_ = output_.detach().to(dtype).requires_grad_(output_.requires_grad());
}

void CausalLM::to(at::Device device) {
  trunk_.to(device);
  if (output_.defined())
    output_ = output_.detach().to(device).requires_grad_(output_.requires_grad());
}

}  // namespace rlhf
