/// Proximal policy optimisation against a reward, held to a reference: four models meet here.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "rlhf/core/concepts.hpp"
#include "rlhf/core/rollout.hpp"
#include "rlhf/objective/diagnostics.hpp"
#include "rlhf/rollout/sample.hpp"
#include "rlhf/trainer/guard.hpp"
#include "rlhf/trainer/learner.hpp"
#include "rlhf/trainer/micro_batches.hpp"
#include "rlhf/trainer/ppo_options.hpp"
#include "rlhf/trainer/ppo_stages.hpp"
#include "rlhf/trainer/variable.hpp"

namespace rlhf {

/// PPO on language models (Schulman et al. 2017, arXiv 1707.06347; Ouyang et al. 2022,
/// arXiv 2203.02155).
///
///   rollout -> score -> advantages -> update          step() is the four in order
///
/// Borrows everything it is given; all must outlive it. Policy and critic may be one object whose
/// evaluate() fills log_probs and values: then one pass gives both, and one optimizer trains both.
template <class P, class C, class R, class F>
class PpoTrainer {
  static_assert(require_policy<P>() && require_critic<C>() && require_reward<R>() &&
                require_reference<F>());

 public:
  /// Batches for the PPO-ptx term.
  using PretrainingSource = std::function<Completions()>;

  /// @throws Error from options.validate(), or a ptx coefficient without a source or the reverse
  PpoTrainer(P& policy, C& critic, R& reward, F& reference, Generator& generator,
             const PpoOptions& options = {}, PretrainingSource pretraining = {})
      : policy_(policy),
        critic_(critic),
        reward_(reward),
        reference_(reference),
        generator_(generator),
        options_((options.validate(), options)),
        pretraining_(std::move(pretraining)),
        policy_learner_(named_parameters_of(policy), options.policy_optimizer,
                        options.policy_schedule),
        kl_(options.kl) {
    require((options.ptx_coefficient > 0) == static_cast<bool>(pretraining_),
            "PpoOptions::ptx_coefficient",
            pretraining_ ? "> 0, as a source is given" : "0 without a source",
            options.ptx_coefficient);
    if constexpr (requires { policy.vocab_size() == reference.vocab_size(); }) {
      require(policy.vocab_size() == reference.vocab_size(), "vocab_size of the reference",
              policy.vocab_size(), reference.vocab_size());
    }
    if (!shared()) {
      critic_learner_.emplace(named_parameters_of(critic), options.critic_optimizer,
                              options.critic_schedule);
    }
  }

  /// A temporary would be gone before the first step: refused, with the sentence that says so.
  template <class A, class B, class D, class E, class G>
  requires(!trainer::Variable<A, B, D, E, G>)
      PpoTrainer(A&& policy, B&& critic, D&& reward, E&& reference, G&& generator,
                 const PpoOptions& options = {}, PretrainingSource pretraining = {})
      : PpoTrainer(policy, critic, reward, reference, generator, options, std::move(pretraining)) {
    static_assert(trainer::Variable<A>,
                  "rlhf: PpoTrainer borrows its policy: pass a variable that outlives the trainer, "
                  "not a temporary");
    static_assert(trainer::Variable<B>,
                  "rlhf: PpoTrainer borrows its critic: pass a variable that outlives the trainer, "
                  "not a temporary");
    static_assert(trainer::Variable<D>,
                  "rlhf: PpoTrainer borrows its reward: pass a variable that outlives the trainer, "
                  "not a temporary");
    static_assert(trainer::Variable<E>,
                  "rlhf: PpoTrainer borrows its reference: pass a variable that outlives the "
                  "trainer, not a temporary");
    static_assert(trainer::Variable<G>,
                  "rlhf: PpoTrainer borrows its generator: pass a variable that outlives the "
                  "trainer, not a temporary");
  }

  /// Samples, scores and learns from one batch of prompts.
  PpoStats step(const Completions& prompts) requires Decoder<P> {
    const auto begin = std::chrono::steady_clock::now();
    const Rollout sampled = rollout(prompts);
    PpoStats stats = learn(sampled);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    stats.tokens_per_second =
        static_cast<double>(sampled.completions.token_count()) / seconds.count();
    return stats;
  }

  /// The same from a rollout that was sampled elsewhere, at options.sampling.temperature; without
  /// log_probs nothing is said of how far the sampler's are from the policy's.
  PpoStats learn(const Rollout& rollout) {
    const auto experience = trainer::or_skip(options_.on_non_finite, problem_,
                                             [&] { return advantages(score(rollout)); });
    if (experience) return update(*experience);
    ++step_;
    return PpoStats::of_skipped_step(options_.epochs * options_.minibatches);
  }

  Rollout rollout(const Completions& prompts) requires Decoder<P> {
    return rollout::sample(policy_, prompts, options_.sampling, generator_);
  }

  /// Reward, reference, critic, and the policy's own log-probabilities by the arithmetic of
  /// training.
  /// @throws Error      on an empty response, a rollout without a Finish for each, a policy without
  ///                    entropy or a critic without values, another number of scores, and what the
  ///                    reward throws: nested in an Error that names the step, unless it is one
  /// @throws NonFinite  naming step, sequence and prompt of a score, log-probability or value
  Scored score(const Rollout& rollout) {
    NoGrad no_grad;
    const Completions& completions = rollout.completions;
    trainer::require_whole(rollout);
    Scored scored;
    scored.rollout = rollout;
    scored.mask = mask_of(completions);
    scored.scores = trainer::checked_scores(scores_of(rollout), completions, step_);
    const TokenOutputs own =
        evaluate(policy_, completions, {.temperature = temperature(), .entropy = true});
    scored.log_probs = own.log_probs;
    scored.entropy = trainer::entropy_of(own);
    scored.values =
        shared() ? trainer::values_of(own) : trainer::values_of(evaluate(critic_, completions, {}));
    scored.ref_log_probs =
        evaluate(reference_, completions, {.temperature = temperature()}).log_probs;
    trainer::require_finite(scored, step_);
    return scored;
  }

  /// Per-token rewards with the KL penalty, and what follows from them.
  /// @throws NonFinite naming step and sequence of a KL, reward, return or advantage
  Experience advantages(const Scored& scored) const {
    const Experience experience = trainer::advantages(scored, options_, kl_.coefficient());
    trainer::require_finite(experience, step_);
    return experience;
  }

  /// Epochs of minibatches over one rollout.
  /// @throws NonFinite on such a loss or gradient; that minibatch then changed no weight
  PpoStats update(const Experience& experience) {
    PpoStats stats = trainer::describe(experience, kl_.coefficient());
    trainer::UpdateMeans means;
    const bool warming_up = step_ < options_.critic_warmup_steps;
    const int64_t rows = experience.scored.rollout.completions.size();
    bool stop = false;
    for (int64_t epoch = 0; epoch < options_.epochs && !stop; ++epoch) {
      const Tensor order = generator_.permutation(rows);
      for (const Tensor& chosen : order.tensor_split(std::min(options_.minibatches, rows))) {
        const auto losses = trainer::or_skip(options_.on_non_finite, problem_, [&] {
          return learn_minibatch(trainer::select(experience, chosen), warming_up);
        });
        if (!losses) {
          ++stats.skipped;
          continue;
        }
        means.add(*losses);
        stop = options_.kl.early_stop > 0 && losses->approx_kl > options_.kl.early_stop;
        if (stop) break;
      }
    }
    means.write_to(stats, warming_up);
    kl_.update(stats.kl_k1, rows);
    ++step_;
    return stats;
  }

  int64_t steps() const { return step_; }
  /// Policy, critic, what the reward remembers, the reference's fingerprint, generator, optimizers,
  /// KL coefficient and options. What a pretraining source reads from is a part of its own.
  void archive(Archive& archive) {
    archive.part("policy", policy_);
    archive.part("policy_learner", policy_learner_);
    if (critic_learner_) {
      archive.part("critic", critic_);
      archive.part("critic_learner", *critic_learner_);
    }
    trainer::Remembered<R> reward{reward_};
    archive.part("reward", reward);
    if constexpr (requires { reference_.fingerprint(); }) {
      archive.option("reference", reference_.fingerprint());
    }
    archive.part("generator", generator_);
    archive.part("kl", kl_);
    archive.part("options", options_);
    archive.value("step", step_);
  }
  /// What the last skipped minibatch or rollout met.
  const std::string& problem() const { return problem_; }
  double kl_coefficient() const { return kl_.coefficient(); }
  AdamW& policy_optimizer() { return policy_learner_.optimizer(); }
  /// None where policy and critic are one object.
  AdamW* critic_optimizer() { return critic_learner_ ? &critic_learner_->optimizer() : nullptr; }

 private:
  double temperature() const { return trainer::log_prob_temperature(options_.sampling); }

  bool shared() const {
    if constexpr (std::same_as<P, C>) return &policy_ == &critic_;
    return false;
  }

  /// One optimizer step of the critic and, past the warm-up, of the policy.
  trainer::MinibatchLosses learn_minibatch(const Experience& minibatch, bool critic_only) {
    trainer::MinibatchLosses losses;
    policy_learner_.begin();
    if (critic_learner_) critic_learner_->begin();
    const double tokens = minibatch.scored.mask.sum().template item<double>();
    for (const Experience& batch : trainer::micro_batches(minibatch, options_.micro_batch_tokens)) {
      learn_micro_batch(batch, tokens, critic_only, losses);
    }
    if (!critic_only && pretraining_) losses.ptx = learn_pretraining(pretraining_());
    // Neither moves if one of them must not.
    const Completions& completions = minibatch.scored.rollout.completions;
    const auto alone = [&](int64_t row) {
      trainer::MinibatchLosses ignored;
      learn_micro_batch(trainer::select(minibatch, int64_tensor({row})), tokens, critic_only,
                        ignored);
    };
    if (critic_learner_)
      trainer::require_finite_gradients(*critic_learner_, completions, step_, alone);
    if (!critic_only || shared()) {
      losses.policy_update = trainer::update(policy_learner_, completions, step_, alone);
    }
    if (critic_learner_) losses.critic_update = critic_learner_->update();
    return losses;
  }

  Tensor scores_of(const Rollout& rollout) {
    try {
      return reward_(rollout);
    } catch (...) {
      trainer::rethrow_as_error(step_);
    }
  }

  void learn_micro_batch(const Experience& batch, double tokens, bool critic_only,
                         trainer::MinibatchLosses& losses) {
    const Completions& completions = batch.scored.rollout.completions;
    const auto policy_outputs = [&] {
      return policy_.evaluate(completions, {.temperature = temperature(),
                                            .entropy = options_.entropy_coefficient != 0});
    };
    const auto policy_part = [&](const TokenOutputs& outputs) {
      return trainer::policy_loss(outputs, batch, options_, tokens, step_, losses);
    };
    const auto value_part = [&](const TokenOutputs& outputs) {
      return trainer::value_loss(outputs, batch, options_, tokens, step_, losses);
    };
    if (shared()) {
      const TokenOutputs outputs = policy_outputs();
      const Tensor value = value_part(outputs);
      (critic_only ? value : policy_part(outputs) + value).backward();
      return;
    }
    // One after the other, so that what one leaves for its backward pass is gone before the next.
    if (!critic_only) policy_part(policy_outputs()).backward();
    value_part(critic_.evaluate(completions, EvaluateOptions{})).backward();
  }

  double learn_pretraining(const Completions& pretraining) {
    const double tokens = trainer::counted_tokens(pretraining);
    double total = 0;
    for (const Completions& batch :
         trainer::micro_batches(pretraining, options_.micro_batch_tokens)) {
      const Tensor mask = mask_of(batch);
      const Tensor log_probs = policy_.evaluate(batch, EvaluateOptions{}).log_probs;
      const Tensor loss = objective::negative_log_likelihood(log_probs, mask, tokens);
      trainer::require_finite_loss(loss, log_probs, mask, batch, "PPO-ptx loss", step_);
      (loss * options_.ptx_coefficient).backward();
      total += loss.template item<double>();
    }
    return total;
  }

  /// Without gradient, in parts of micro_batch_tokens.
  template <class Model>
  TokenOutputs evaluate(Model& model, const Completions& completions,
                        const EvaluateOptions& options) {
    std::vector<TokenOutputs> parts;
    for (const Completions& part :
         trainer::micro_batches(completions, options_.micro_batch_tokens)) {
      parts.push_back(model.evaluate(part, options));
    }
    return trainer::stack_rows(parts, completions.longest_response());
  }

  P& policy_;
  C& critic_;
  R& reward_;
  F& reference_;
  Generator& generator_;
  PpoOptions options_;
  PretrainingSource pretraining_;
  trainer::Learner policy_learner_;
  std::optional<trainer::Learner> critic_learner_;
  trainer::KlCoefficient kl_;
  int64_t step_ = 0;
  std::string problem_;
};

// So that a temporary, too, finds its way to the constructor that refuses it.
template <class P, class C, class R, class F, class G>
PpoTrainer(P&&, C&&, R&&, F&&, G&&, const PpoOptions& = {}, std::function<Completions()> = {})
    -> PpoTrainer<std::remove_reference_t<P>, std::remove_reference_t<C>,
                  std::remove_reference_t<R>, std::remove_reference_t<F>>;

}  // namespace rlhf
