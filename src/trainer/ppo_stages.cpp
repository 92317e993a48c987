#include "rlhf/trainer/ppo_stages.hpp"

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/core/masked.hpp"
#include "rlhf/objective/diagnostics.hpp"
#include "rlhf/trainer/guard.hpp"

namespace rlhf::trainer {

KlCoefficient::KlCoefficient(const PpoKlOptions& options) : fixed_(options.coefficient) {
  if (options.target > 0) adaptive_.emplace(options.coefficient, options.target, options.horizon);
}

void KlCoefficient::update(double kl_per_sequence, int64_t episodes) {
  if (adaptive_) adaptive_->update(kl_per_sequence, episodes);
}

double log_prob_temperature(const SamplingOptions& sampling) {
  return sampling.temperature > 0 ? sampling.temperature : 1.0;
}

Tensor checked_scores(const Tensor& scores, const Completions& completions, int64_t step) {
  require_shape(scores, {completions.size()}, "scores of the reward");
  require_finite_scores(scores, completions, step);
  const auto type = scores.is_floating_point() ? scores.scalar_type() : torch::kFloat32;
  return scores.detach().to(completions.tokens.device(), type);
}

void require_whole(const Rollout& rollout) {
  const Completions& completions = rollout.completions;
  completions.validate();
  require_responses(completions);
  require(std::ssize(rollout.finish) == completions.size(), "Rollout::finish to learn from",
          fmt::format("{}, one a sequence", completions.size()), rollout.finish.size());
  if (!rollout.log_probs.defined()) return;
  require_shape(rollout.log_probs, {completions.size(), completions.longest_response()},
                "Rollout::log_probs to learn from");
}

Tensor values_of(const TokenOutputs& outputs) {
  if (!outputs.values || !outputs.values->defined()) {
    fail("TokenOutputs::values of the critic", "a tensor [B, T]", "none");
  }
  return *outputs.values;
}

Tensor entropy_of(const TokenOutputs& outputs) {
  if (!outputs.entropy || !outputs.entropy->defined()) {
    fail("TokenOutputs::entropy of the policy, where EvaluateOptions::entropy asks for it",
         "a tensor [B, T]", "none");
  }
  return *outputs.entropy;
}

TokenOutputs stack_rows(const std::vector<TokenOutputs>& parts, int64_t longest) {
  if (parts.size() == 1) return parts.front();
  const auto stack = [&](auto&& member) {
    std::vector<Tensor> rows;
    for (const TokenOutputs& part : parts) {
      const Tensor matrix = member(part);
      if (!matrix.defined()) return Tensor();
      rows.push_back(torch::constant_pad_nd(matrix, {0, longest - matrix.size(1)}));
    }
    return torch::cat(rows);
  };
  TokenOutputs all{.log_probs = stack([](auto& part) { return part.log_probs; })};
  const auto optional_stack = [&](auto&& member) -> std::optional<Tensor> {
    if (!member(parts.front())) return std::nullopt;
    return stack([&](auto& part) { return *member(part); });
  };
  all.entropy = optional_stack([](auto& part) { return part.entropy; });
  all.values = optional_stack([](auto& part) { return part.values; });
  return all;
}

void require_finite(const Scored& scored, int64_t step) {
  const Completions& completions = scored.rollout.completions;
  require_finite_tokens(scored.log_probs, scored.mask, completions, "log-probability", step);
  require_finite_tokens(scored.ref_log_probs, scored.mask, completions,
                        "log-probability under the reference", step);
  require_finite_tokens(scored.values, scored.mask, completions, "value", step);
  require_finite_tokens(scored.entropy, scored.mask, completions, "entropy", step);
}

void require_finite(const Experience& experience, int64_t step) {
  const Scored& scored = experience.scored;
  const auto check = [&](const Tensor& values, std::string_view what) {
    require_finite_tokens(values, scored.mask, scored.rollout.completions, what, step);
  };
  check(experience.kl, "KL to the reference");
  check(experience.rewards, "per-token reward");
  check(experience.returns, "return");
  check(experience.advantages, "advantage");
}

Experience advantages(const Scored& scored, const PpoOptions& options, double kl_coefficient) {
  NoGrad no_grad;
  Experience experience;
  experience.scored = scored;
  experience.kl = masked(
      objective::kl(scored.log_probs, scored.ref_log_probs, options.kl.estimator), scored.mask);
  experience.rewards = objective::kl_shaped_rewards(scored.scores.to(experience.kl.scalar_type()),
                                                    experience.kl, scored.mask, kl_coefficient);
  if (options.whiten_rewards) {
    experience.rewards =
        objective::whiten(experience.rewards, scored.mask, objective::WhitenMean::keep);
  }
  const auto estimate = objective::gae(experience.rewards, scored.values, scored.mask, options.gae);
  experience.returns = estimate.returns;
  experience.advantages = options.whiten_advantages
                              ? objective::whiten(estimate.advantages, scored.mask)
                              : estimate.advantages;
  return experience;
}

Tensor policy_loss(const TokenOutputs& outputs, const Experience& batch, const PpoOptions& options,
                   double tokens, int64_t step, MinibatchLosses& losses) {
  const Scored& old = batch.scored;
  const auto policy = objective::ppo_policy_loss(outputs.log_probs, old.log_probs, batch.advantages,
                                                 old.mask, options.clip, tokens);
  require_finite_loss(policy.loss, outputs.log_probs, old.mask, old.rollout.completions,
                      "policy loss", step);
  losses.policy += policy.loss.item<double>();
  losses.policy_clip_fraction += policy.clip_fraction.item<double>();
  losses.approx_kl += policy.approx_kl.item<double>();
  losses.ratio_mean += policy.ratio_mean.item<double>();
  if (options.entropy_coefficient == 0) return policy.loss;
  return policy.loss -
         options.entropy_coefficient * masked_mean(entropy_of(outputs), old.mask, tokens);
}

Tensor value_loss(const TokenOutputs& outputs, const Experience& batch, const PpoOptions& options,
                  double tokens, int64_t step, MinibatchLosses& losses) {
  const Scored& old = batch.scored;
  const Tensor values = values_of(outputs);
  const auto value = objective::ppo_value_loss(values, old.values, batch.returns, old.mask,
                                               options.value_clip, tokens);
  require_finite_loss(value.loss, values, old.mask, old.rollout.completions, "value loss", step);
  losses.value += value.loss.item<double>();
  losses.value_clip_fraction += value.clip_fraction.item<double>();
  return value.loss * options.value_coefficient;
}

void UpdateMeans::add(const MinibatchLosses& losses) {
  sums_.policy += losses.policy;
  sums_.value += losses.value;
  sums_.ptx += losses.ptx;
  sums_.approx_kl += losses.approx_kl;
  sums_.ratio_mean += losses.ratio_mean;
  sums_.policy_clip_fraction += losses.policy_clip_fraction;
  sums_.value_clip_fraction += losses.value_clip_fraction;
  ++minibatches_;
  if (losses.policy_update) {
    policy_norm_ += losses.policy_update->gradient_norm;
    learning_rate_ = losses.policy_update->learning_rate;
    ++policy_updates_;
  }
  if (losses.critic_update) {
    critic_norm_ += losses.critic_update->gradient_norm;
    ++critic_updates_;
  }
}

void UpdateMeans::write_to(PpoStats& stats, bool critic_only) const {
  const auto mean = [](double sum, int64_t count) {
    return count == 0 ? 0.0 : sum / static_cast<double>(count);
  };
  stats.policy_loss = mean(sums_.policy, minibatches_);
  stats.value_loss = mean(sums_.value, minibatches_);
  stats.ptx_loss = mean(sums_.ptx, minibatches_);
  stats.approx_kl = mean(sums_.approx_kl, minibatches_);
  stats.ratio_mean = critic_only ? 1.0 : mean(sums_.ratio_mean, minibatches_);
  stats.policy_clip_fraction = mean(sums_.policy_clip_fraction, minibatches_);
  stats.value_clip_fraction = mean(sums_.value_clip_fraction, minibatches_);
  stats.policy_gradient_norm = mean(policy_norm_, policy_updates_);
  stats.critic_gradient_norm = mean(critic_norm_, critic_updates_);
  stats.policy_learning_rate = learning_rate_;
  stats.policy_updates = policy_updates_;
}

PpoStats describe(const Experience& experience, double kl_coefficient) {
  NoGrad no_grad;
  const Scored& scored = experience.scored;
  const Tensor& mask = scored.mask;
  const auto rows = static_cast<double>(mask.size(0));
  const auto per_sequence = [&](objective::KlEstimator estimator) {
    return masked_sum(objective::kl(scored.log_probs, scored.ref_log_probs, estimator), mask)
               .item<double>() /
           rows;
  };
  PpoStats stats;
  stats.reward = masked_sum(experience.rewards, mask).item<double>() / rows;
  stats.score_mean = scored.scores.mean().item<double>();
  stats.score_std = scored.scores.std(false).item<double>();
  stats.kl_k1 = per_sequence(objective::KlEstimator::k1);
  stats.kl_k3 = per_sequence(objective::KlEstimator::k3);
  stats.kl_coefficient = kl_coefficient;
  stats.entropy = masked_mean(scored.entropy, mask).item<double>();
  stats.explained_variance = objective::explained_variance(scored.values, experience.returns, mask);
  const auto& finish = scored.rollout.finish;
  stats.eos_share = static_cast<double>(std::ranges::count(finish, Finish::eos)) / rows;
  stats.response_length =
      scored.rollout.completions.response_lengths.to(torch::kFloat64).mean().item<double>();
  if (scored.rollout.log_probs.defined()) {
    stats.sampler_gap =
        masked(scored.rollout.log_probs - scored.log_probs, mask).abs().max().item<double>();
  }
  return stats;
}

}  // namespace rlhf::trainer
