/// PPO with parts of your own: a torch::nn module as policy, another as critic, a lambda as reward.
/// The module predicts a digit from the digit before; the reward likes counting upwards.
#include <torch/nn/module.h>

#include <iostream>

#include "rlhf/rlhf.hpp"

using rlhf::Completions;
using torch::Tensor;

/// One number per class for each token, from that token alone. rlhf asks for nothing but evaluate()
/// and named_parameters(), and the latter every torch::nn::Module has.
struct Table : torch::nn::Module {
  Table(int64_t tokens, int64_t outputs)
      : weight(register_parameter("weight", torch::zeros({tokens, outputs}))) {}

  /// One row for each response token, read at the token before it.
  Tensor before_responses(const Completions& c) const {
    return weight.index_select(0, c.tokens.index_select(0, rlhf::response_positions(c) - 1));
  }
  Tensor weight;
};

struct Policy : Table {
  Policy() : Table(10, 10) {}
  rlhf::TokenOutputs evaluate(const Completions& c, const rlhf::EvaluateOptions& options) const {
    const Tensor logits = before_responses(c);
    const Tensor targets = c.tokens.index_select(0, rlhf::response_positions(c));
    rlhf::TokenOutputs outputs;
    outputs.log_probs = rlhf::pad_responses(
        rlhf::objective::token_log_probs(logits, targets, options.temperature), c);
    outputs.entropy = rlhf::pad_responses(rlhf::objective::entropy(logits, options.temperature), c);
    return outputs;
  }
  Tensor next_logits(const Completions& prompts) const {
    return weight.index_select(0, rlhf::rollout::last_prompt_tokens(prompts));
  }
};

struct Critic : Table {
  Critic() : Table(10, 1) {}
  rlhf::TokenOutputs evaluate(const Completions& c, const rlhf::EvaluateOptions&) const {
    rlhf::TokenOutputs outputs;
    outputs.values = rlhf::pad_responses(before_responses(c).squeeze(1), c);
    return outputs;
  }
};

int main() {
  Policy policy;
  Critic critic;
  const rlhf::Frozen reference{Policy()};  // what the policy is held to: as it is now
  rlhf::Generator generator(1);

  // The share of digits that follow the one before, 0 after 9.
  auto reward = [](const rlhf::Rollout& rollout) {
    std::vector<float> scores;
    for (int64_t row = 0; row < rollout.completions.size(); ++row) {
      int64_t last = rollout.completions.prompt(row).back(), good = 0;
      const auto response = rollout.completions.response(row);
      for (int64_t token : response) {
        good += token == (last + 1) % 10;
        last = token;
      }
      scores.push_back(static_cast<float>(good) / static_cast<float>(response.size()));
    }
    return torch::tensor(scores);
  };

  const rlhf::PpoOptions options{.sampling = {.max_response_tokens = 8},
                                 .kl = {.coefficient = 0.01},
                                 .policy_optimizer = {.learning_rate = 0.1},
                                 .critic_optimizer = {.learning_rate = 0.1}};
  rlhf::PpoTrainer trainer{policy, critic, reward, reference, generator, options};

  // The module has no key/value cache, so an adaptor runs it on whole sequences.
  rlhf::WholeSequenceDecoder decoder{
      [&](const Completions& prompts) { return policy.next_logits(prompts); }};
  const Completions prompts =
      rlhf::completions_from({{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}});
  for (int step = 0; step <= 60; ++step) {
    const rlhf::Rollout rollout =
        rlhf::rollout::sample(decoder, prompts, options.sampling, generator);
    const rlhf::PpoStats stats = trainer.learn(rollout);
    if (step % 20 != 0) continue;
    std::cout << "step " << step << "  score " << stats.score_mean << "  kl " << stats.kl_k3
              << "  3 ->";
    for (int64_t token : rollout.completions.response(3)) std::cout << ' ' << token;
    std::cout << '\n';
  }
}
