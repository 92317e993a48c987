// Every concept violated once. Whoever brings a wrong type reads these sentences.
#include "rlhf/core/concepts.hpp"

namespace {

using namespace rlhf;

struct Nothing {};

struct WithoutParameters {
  TokenOutputs evaluate(const Completions&, const EvaluateOptions&);
};

struct ParametersWithoutNames : WithoutParameters {
  std::vector<Tensor> named_parameters();
};

struct EvaluatesWrongly {
  Tensor evaluate(const Completions&, const EvaluateOptions&);
  std::vector<NamedTensor> named_parameters();
};

// error: a Policy or Critic must have evaluate(const Completions&, const EvaluateOptions&)
//     returning TokenOutputs
static_assert(require_policy<EvaluatesWrongly>());
// error: a Policy or Critic must have named_parameters() returning a list of named tensors
static_assert(require_policy<WithoutParameters>());
static_assert(require_critic<ParametersWithoutNames>());

// error: a Decoder must have begin(const Completions& prompts) returning its State
static_assert(require_decoder<Nothing>());

struct WithoutKeep {
  struct State {};
  State begin(const Completions&);
  Tensor step(State&, const Tensor&);
};
// error: a Decoder must have step(State&, const Tensor& tokens) returning logits [B, V], and
//     keep(State&, const Tensor& rows)
static_assert(require_decoder<WithoutKeep>());

// error: a Reference must have evaluate(const Completions&, const EvaluateOptions&) const
//     returning TokenOutputs
static_assert(require_reference<WithoutParameters>());

struct Trainable {
  TokenOutputs evaluate(const Completions&, const EvaluateOptions&) const;
  std::vector<NamedTensor> named_parameters();
};
// error: a Reference must not offer named_parameters(): it never changes
static_assert(require_reference<Trainable>());

struct ReadsCompletions {
  Tensor operator()(const Completions&);
};
// error: a Reward must be callable with a const Rollout& and return a Tensor of scores,
//     float32 [B]
static_assert(require_reward<ReadsCompletions>());

struct WithoutEnd {
  std::vector<int64_t> encode(std::string_view) const;
  std::string decode(std::span<const int64_t>, SpecialTokens) const;
};
// error: a Tokenizer must have encode(std::string_view) -> std::vector<int64_t>,
//     decode(std::span<const int64_t>, SpecialTokens) -> std::string and end_tokens()
static_assert(require_tokenizer<WithoutEnd>());

// error: a MetricSink must have log(int64_t step, std::span<const Metric>)
static_assert(require_metric_sink<Nothing>());

}  // namespace
