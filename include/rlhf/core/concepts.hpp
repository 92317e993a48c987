/// The interface set: what a policy, a decoder, a reference, a reward, a critic, a tokenizer, a
/// sink and a group of processes must offer. Concepts, not base classes: a type of yours needs no
/// inheritance. `require_policy<P>()` and its siblings turn a missing piece into one sentence.
/// Tokenizer and MetricSink stand in headers of their own, which read no LibTorch.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/completions.hpp"
#include "rlhf/core/metric.hpp"
#include "rlhf/core/rollout.hpp"
#include "rlhf/core/tensor.hpp"
#include "rlhf/core/tokenizer.hpp"

namespace rlhf {

/// What an evaluation should give.
struct EvaluateOptions {
  double temperature = 1.0;  ///< divides the logits before every log-probability and entropy
  bool entropy = false;      ///< also fill TokenOutputs::entropy
};

/// Per-token results over response tokens, right-padded with 0: [B, T].
struct TokenOutputs {
  Tensor log_probs;                    ///< of each response token
  std::optional<Tensor> entropy = {};  ///< of the distribution it was drawn from
  std::optional<Tensor> values = {};   ///< of the state before it
};

/// A list of named tensors: std::vector<NamedTensor>, torch's OrderedDict, a map.
template <class R>
concept NamedParameters = requires(R range) {
  std::begin(range);
  requires requires {
    { (*std::begin(range)).key() } -> std::convertible_to<std::string>;
    { (*std::begin(range)).value() } -> std::convertible_to<Tensor>;
  } || requires {
    { (*std::begin(range)).first } -> std::convertible_to<std::string>;
    { (*std::begin(range)).second } -> std::convertible_to<Tensor>;
  };
};

/// The model's parameters as one plain list, whatever form it names them in.
template <class Model>
std::vector<NamedTensor> named_parameters_of(Model& model) {
  std::vector<NamedTensor> list;
  for (auto&& item : model.named_parameters()) {
    if constexpr (requires { item.key(); }) {
      list.emplace_back(item.key(), item.value());
    } else {
      list.emplace_back(item.first, item.second);
    }
  }
  return list;
}

/// What is trained.
///  1. evaluate(Completions, EvaluateOptions) -> TokenOutputs, differentiable: log-probabilities of
///     every response token, [B, T]
///  2. named_parameters() -> a list of named tensors
template <class P>
concept Policy = requires(P& policy, const Completions& completions,
                          const EvaluateOptions& options) {
  { policy.evaluate(completions, options) } -> std::convertible_to<TokenOutputs>;
  { policy.named_parameters() } -> NamedParameters;
};

/// What can be sampled from, token by token.
///  1. begin(prompts) -> State, having read every prompt but its last token
///  2. step(State&, tokens) -> logits [B, V] after one more token a row, tokens int64 [B]; the
///  first
///     call feeds each prompt's last token
///  3. keep(State&, rows): the state's rows become these, int64 [k] on the CPU; a row may leave, or
///     stand several times (n samples of one prompt share its prefill)
template <class D>
concept Decoder = requires(D& decoder, const Completions& prompts, const Tensor& tokens) {
  { decoder.begin(prompts) } -> std::movable;
  requires requires(decltype(decoder.begin(prompts))& state) {
    { decoder.step(state, tokens) } -> std::convertible_to<Tensor>;
    decoder.keep(state, tokens);
  };
};

/// What the policy is held to.
///  1. evaluate(Completions, EvaluateOptions) -> TokenOutputs on a const object, without gradient
///  2. it offers no named_parameters(): nothing of it is trained, it never changes
template <class R>
concept Reference = requires(const R& reference, const Completions& completions,
                             const EvaluateOptions& options) {
  { reference.evaluate(completions, options) } -> std::convertible_to<TokenOutputs>;
}
&&!requires(R & reference) {
  reference.named_parameters();
};

/// What says how good a response is.
///  1. callable: Rollout -> float32 [B]; it may read tokens, or decode them and read text
template <class R>
concept Reward = requires(R& reward, const Rollout& rollout) {
  { reward(rollout) } -> std::convertible_to<Tensor>;
};

/// What estimates the return.
///  1. evaluate(Completions, EvaluateOptions) -> TokenOutputs whose `values` [B, T] are filled and
///     differentiable
///  2. named_parameters() -> a list of named tensors
/// The same object may be Policy and Critic: one pass then gives both.
template <class C>
concept Critic = Policy<C>;

/// A reward's archive(), where it has one. The parameters of a model that rewards are no part of a
/// run: they do not change.
template <class R>
void archive_reward(R& reward, Archive& archive) {
  if constexpr (requires { reward.archive(archive); }) reward.archive(archive);
}

/// A group of processes that work on one batch.
///  1. rank(), size() -> int64_t
///  2. all_reduce(Tensor&): the sum over ranks, in place
///  3. broadcast(Tensor&, root)
///  4. gather(Tensor) -> std::vector<Tensor>, one a rank, on every rank
template <class C>
concept Collective = requires(C& group, Tensor& tensor, const Tensor& constant, int64_t root) {
  { group.rank() } -> std::convertible_to<int64_t>;
  { group.size() } -> std::convertible_to<int64_t>;
  group.all_reduce(tensor);
  group.broadcast(tensor, root);
  { group.gather(constant) } -> std::convertible_to<std::vector<Tensor>>;
};

/// The default Collective: one process.
struct SingleProcess {
  int64_t rank() const { return 0; }
  int64_t size() const { return 1; }
  void all_reduce(Tensor&) const {}
  void broadcast(Tensor&, int64_t) const {}
  std::vector<Tensor> gather(const Tensor& tensor) const { return {tensor}; }
};

/// Any Reward behind one type: for choosing at run time, and to keep instantiations few.
class AnyReward {
 public:
  template <Reward R>
  requires(!std::same_as<std::remove_cvref_t<R>, AnyReward>)
      AnyReward(R&& reward)  // NOLINT(google-explicit-constructor): a reward is a reward
      : AnyReward(Held{std::make_shared<std::remove_cvref_t<R>>(std::forward<R>(reward))}) {}
  /// Borrows: the reward must outlive this.
  template <Reward R>
  AnyReward(std::reference_wrapper<R> reward)  // NOLINT(google-explicit-constructor)
      : AnyReward(Held{&reward.get()}) {}

  Tensor operator()(const Rollout& rollout) const { return call_(rollout); }
  /// What the reward remembers, where it has an archive().
  void archive(Archive& archive) const { archive_(archive); }

 private:
  template <class Pointer>
  struct Held {
    Pointer pointer;
  };
  template <class Pointer>
  Held(Pointer) -> Held<Pointer>;

  template <class Pointer>
  explicit AnyReward(Held<Pointer> reward)
      : call_([reward](const Rollout& rollout) -> Tensor { return (*reward.pointer)(rollout); }),
        archive_([reward](Archive& archive) { archive_reward(*reward.pointer, archive); }) {}

  std::function<Tensor(const Rollout&)> call_;
  std::function<void(Archive&)> archive_;
};

// Each require_x<T>() is true, or stops the compiler with the sentence that names what is missing.

template <class M>
consteval bool require_evaluates() {
  static_assert(
      requires(M & model, const Completions& c, const EvaluateOptions& o) {
        { model.evaluate(c, o) } -> std::convertible_to<TokenOutputs>;
      },
      "rlhf: a Policy or Critic must have evaluate(const Completions&, const EvaluateOptions&) "
      "returning TokenOutputs");
  static_assert(
      requires(M & model) {
        { model.named_parameters() } -> NamedParameters;
      },
      "rlhf: a Policy or Critic must have named_parameters() returning a list of named tensors");
  return true;
}
template <class P>
consteval bool require_policy() {
  return require_evaluates<P>();
}
template <class C>
consteval bool require_critic() {
  return require_evaluates<C>();
}

template <class D>
consteval bool require_decoder() {
  static_assert(
      requires(D & decoder, const Completions& prompts) {
        { decoder.begin(prompts) } -> std::movable;
      },
      "rlhf: a Decoder must have begin(const Completions& prompts) returning its State");
  static_assert(
      Decoder<D>,
      "rlhf: a Decoder must have step(State&, const Tensor& tokens) returning logits [B, V], and "
      "keep(State&, const Tensor& rows)");
  return true;
}

template <class R>
consteval bool require_reference() {
  static_assert(
      requires(const R& model, const Completions& c, const EvaluateOptions& o) {
        { model.evaluate(c, o) } -> std::convertible_to<TokenOutputs>;
      },
      "rlhf: a Reference must have evaluate(const Completions&, const EvaluateOptions&) const "
      "returning TokenOutputs");
  static_assert(Reference<R>,
                "rlhf: a Reference must not offer named_parameters(): it never changes. Pass a "
                "frozen copy (rlhf::Frozen), not the policy itself");
  return true;
}

template <class R>
consteval bool require_reward() {
  static_assert(Reward<R>,
                "rlhf: a Reward must be callable with a const Rollout& and return a "
                "Tensor of scores, float32 [B]");
  return true;
}

}  // namespace rlhf
