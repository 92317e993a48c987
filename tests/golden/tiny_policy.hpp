/// The policy, reference and critic of ppo_update.json, and the file as C++ values.
///
/// They model Policy, Reference and Critic, in float64: a trainer takes them as they are.
#pragma once

#include <vector>

#include "golden/golden.hpp"
#include "rlhf/core/completions.hpp"
#include "rlhf/core/concepts.hpp"
#include "rlhf/objective/log_probs.hpp"
#include "rlhf/optimizer/adamw.hpp"

namespace rlhf::test {

/// Where each response token is predicted from: the token before it, and that one's place in its
/// row.
struct Contexts {
  Tensor tokens, positions, targets;  ///< int64 [R]

  explicit Contexts(const Completions& completions) {
    targets = completions.tokens.index_select(0, response_positions(completions));
    const Tensor before = response_positions(completions) - 1;
    const Tensor ends = completions.lengths().cumsum(0);
    const Tensor starts =
        (ends - completions.lengths()).repeat_interleave(completions.response_lengths);
    tokens = completions.tokens.index_select(0, before);
    positions = before - starts;
  }
};

/// E[x] + P[i] of every context: [R, D].
inline Tensor states(const Tensor& embedding, const Tensor& position, const Contexts& contexts) {
  return embedding.index_select(0, contexts.tokens) + position.index_select(0, contexts.positions);
}

/// logits = W (E[x] + P[i]).
struct TinyPolicy {
  Tensor embedding, position, output;  ///< float64 [V, D], [L, D], [V, D]

  explicit TinyPolicy(const json& parameters)
      : embedding(golden_leaf(parameters["embedding"])),
        position(golden_leaf(parameters["position"])),
        output(golden_leaf(parameters["output"])) {}

  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options) const {
    const Contexts contexts(completions);
    const Tensor logits = states(embedding, position, contexts).matmul(output.t());
    TokenOutputs outputs{
        .log_probs =
            pad_responses(objective::token_log_probs(logits, contexts.targets, options.temperature),
                          completions)};
    if (options.entropy) {
      outputs.entropy = pad_responses(objective::entropy(logits, options.temperature), completions);
    }
    return outputs;
  }
  std::vector<NamedTensor> named_parameters() const {
    return {{"embedding", embedding}, {"position", position}, {"output", output}};
  }
};

/// A policy that is never trained.
class TinyReference {
 public:
  explicit TinyReference(const json& parameters) : policy_(parameters) {}
  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options) const {
    const NoGrad no_grad;
    return policy_.evaluate(completions, options);
  }

 private:
  TinyPolicy policy_;
};

/// value = u . (E[x] + P[i]) + b.
struct TinyCritic {
  Tensor embedding, position, head, bias;  ///< float64 [V, D], [L, D], [D], []

  explicit TinyCritic(const json& parameters)
      : embedding(golden_leaf(parameters["embedding"])),
        position(golden_leaf(parameters["position"])),
        head(golden_leaf(parameters["head"])),
        bias(golden_leaf(parameters["bias"])) {}

  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions&) const {
    const Contexts contexts(completions);
    const Tensor values = states(embedding, position, contexts).mv(head) + bias;
    return {.log_probs = {}, .values = pad_responses(values, completions)};
  }
  std::vector<NamedTensor> named_parameters() const {
    return {{"embedding", embedding}, {"position", position}, {"head", head}, {"bias", bias}};
  }
};

static_assert(Policy<TinyPolicy> && Reference<TinyReference> && Critic<TinyCritic>);

/// ppo_update.json; `record` has everything, generate.py says what each field is.
struct PpoUpdate {
  json record = read_golden("ppo_update");
  TinyPolicy policy{record["policy"]};
  TinyReference reference{record["reference"]};
  TinyCritic critic{record["critic"]};

  double option(const char* name) const { return record["options"][name]; }
  Tensor tensor(const char* name) const { return golden_tensor(record[name]); }

  AdamWOptions adamw_options() const {
    return {.learning_rate = option("learning_rate"),
            .beta1 = option("beta1"),
            .beta2 = option("beta2"),
            .epsilon = option("epsilon"),
            .weight_decay = option("weight_decay"),
            .max_gradient_norm = option("max_gradient_norm")};
  }
  /// Prompts, responses and their holes.
  Completions completions() const {
    Completions result =
        completions_from(record["prompts"].get<std::vector<std::vector<int64_t>>>(),
                         record["responses"].get<std::vector<std::vector<int64_t>>>());
    std::vector<Tensor> counted;
    for (const json& row : record["counted"]) counted.push_back(golden_tensor(row));
    result.counted = torch::cat(counted);
    return result;
  }
};

}  // namespace rlhf::test
