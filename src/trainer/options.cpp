#include "rlhf/trainer/ppo_options.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "rlhf/core/error.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"

namespace rlhf {

void SftOptions::validate() const {
  optimizer.validate();
  schedule.validate();
  require(micro_batch_tokens >= 0, "SftOptions::micro_batch_tokens", ">= 0", micro_batch_tokens);
  require_known(on_non_finite, OnNonFinite::skip, "SftOptions::on_non_finite", "stop or skip");
}

void RewardOptions::validate() const {
  optimizer.validate();
  schedule.validate();
  require(micro_batch_tokens >= 0, "RewardOptions::micro_batch_tokens", ">= 0", micro_batch_tokens);
  require_known(on_non_finite, OnNonFinite::skip, "RewardOptions::on_non_finite", "stop or skip");
}

void PpoOptions::validate() const {
  sampling.validate();
  gae.validate();
  clip.validate();
  policy_optimizer.validate();
  critic_optimizer.validate();
  policy_schedule.validate();
  critic_schedule.validate();
  require_known(kl.estimator, objective::KlEstimator::k3, "PpoOptions::kl.estimator",
                "k1, abs, k2 or k3");
  const auto not_negative = [](double value, std::string_view name) {
    require(value >= 0, name, ">= 0", value);
  };
  not_negative(kl.coefficient, "PpoOptions::kl.coefficient");
  not_negative(kl.target, "PpoOptions::kl.target");
  not_negative(kl.early_stop, "PpoOptions::kl.early_stop");
  not_negative(value_coefficient, "PpoOptions::value_coefficient");
  not_negative(entropy_coefficient, "PpoOptions::entropy_coefficient");
  not_negative(ptx_coefficient, "PpoOptions::ptx_coefficient");
  require(kl.horizon > 0, "PpoOptions::kl.horizon", "> 0", kl.horizon);
  require(kl.target == 0 || kl.coefficient > 0, "PpoOptions::kl.coefficient",
          "> 0, as it adapts to a target", kl.coefficient);
  require(value_clip > 0, "PpoOptions::value_clip", "> 0", value_clip);
  require(epochs >= 1, "PpoOptions::epochs", ">= 1", epochs);
  require(minibatches >= 1, "PpoOptions::minibatches", ">= 1", minibatches);
  require(critic_warmup_steps >= 0, "PpoOptions::critic_warmup_steps", ">= 0", critic_warmup_steps);
  require(micro_batch_tokens >= 0, "PpoOptions::micro_batch_tokens", ">= 0", micro_batch_tokens);
  require_known(on_non_finite, OnNonFinite::skip, "PpoOptions::on_non_finite", "stop or skip");
}

void SftOptions::archive(Archive& archive) const {
  archive.part("schedule", schedule);
  archive.option("micro_batch_tokens", micro_batch_tokens, OnResume::may_change);
  archive.option("on_non_finite", on_non_finite, OnResume::may_change);
}

void RewardOptions::archive(Archive& archive) const {
  archive.part("schedule", schedule);
  archive.option("margin", margin);
  archive.option("micro_batch_tokens", micro_batch_tokens, OnResume::may_change);
  archive.option("on_non_finite", on_non_finite, OnResume::may_change);
}

void PpoOptions::archive(Archive& archive) const {
  archive.part("sampling", sampling);
  archive.part("gae", gae);
  archive.part("clip", clip);
  archive.part("policy_schedule", policy_schedule);
  archive.part("critic_schedule", critic_schedule);
  archive.option("kl.coefficient", kl.coefficient);
  archive.option("kl.estimator", kl.estimator);
  archive.option("kl.target", kl.target);
  archive.option("kl.horizon", kl.horizon);
  archive.option("kl.early_stop", kl.early_stop);
  archive.option("value_clip", value_clip);
  archive.option("value_coefficient", value_coefficient);
  archive.option("entropy_coefficient", entropy_coefficient);
  archive.option("ptx_coefficient", ptx_coefficient);
  archive.option("whiten_rewards", whiten_rewards);
  archive.option("whiten_advantages", whiten_advantages);
  archive.option("epochs", epochs);
  archive.option("minibatches", minibatches);
  archive.option("critic_warmup_steps", critic_warmup_steps);
  archive.option("micro_batch_tokens", micro_batch_tokens, OnResume::may_change);
  archive.option("on_non_finite", on_non_finite, OnResume::may_change);
}

std::vector<Metric> SftStats::metrics() const {
  return {{"loss", loss},
          {"gradient_norm", gradient_norm},
          {"learning_rate", learning_rate},
          {"tokens", static_cast<double>(tokens)},
          {"skipped", static_cast<double>(skipped)}};
}

std::vector<Metric> RewardStats::metrics() const {
  return {{"loss", loss},
          {"accuracy", accuracy},
          {"margin", margin},
          {"gradient_norm", gradient_norm},
          {"learning_rate", learning_rate},
          {"groups", static_cast<double>(groups)},
          {"skipped", static_cast<double>(skipped)}};
}

std::vector<Metric> PpoStats::metrics() const {
  return {{"reward", reward},
          {"score_mean", score_mean},
          {"score_std", score_std},
          {"kl_k1", kl_k1},
          {"kl_k3", kl_k3},
          {"kl_coefficient", kl_coefficient},
          {"entropy", entropy},
          {"policy_loss", policy_loss},
          {"value_loss", value_loss},
          {"ptx_loss", ptx_loss},
          {"approx_kl", approx_kl},
          {"ratio_mean", ratio_mean},
          {"policy_clip_fraction", policy_clip_fraction},
          {"value_clip_fraction", value_clip_fraction},
          {"explained_variance", explained_variance},
          {"policy_gradient_norm", policy_gradient_norm},
          {"critic_gradient_norm", critic_gradient_norm},
          {"policy_learning_rate", policy_learning_rate},
          {"response_length", response_length},
          {"eos_share", eos_share},
          {"sampler_gap", sampler_gap},
          {"tokens_per_second", tokens_per_second},
          {"policy_updates", static_cast<double>(policy_updates)},
          {"skipped", static_cast<double>(skipped)}};
}

std::vector<std::string> PpoStats::warnings() const {
  if (eos_share != 0) return {};  // NaN, too, is no warning
  return {fmt::format(
      "no response of a rollout ended by itself (eos_share 0): are SamplingOptions::end_tokens "
      "those of the model, and max_response_tokens enough? Responses are up to {:.0f} tokens long",
      std::ceil(response_length))};
}

namespace {
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
}

SftStats SftStats::of_skipped_step() {
  return {.loss = unknown, .gradient_norm = unknown, .skipped = 1};
}

RewardStats RewardStats::of_skipped_step() {
  return {.loss = unknown,
          .accuracy = unknown,
          .margin = unknown,
          .gradient_norm = unknown,
          .skipped = 1};
}

PpoStats PpoStats::of_skipped_step(int64_t minibatches) {
  PpoStats stats;
  for (double PpoStats::*field : {&PpoStats::reward,
                                  &PpoStats::score_mean,
                                  &PpoStats::score_std,
                                  &PpoStats::kl_k1,
                                  &PpoStats::kl_k3,
                                  &PpoStats::kl_coefficient,
                                  &PpoStats::entropy,
                                  &PpoStats::policy_loss,
                                  &PpoStats::value_loss,
                                  &PpoStats::ptx_loss,
                                  &PpoStats::approx_kl,
                                  &PpoStats::ratio_mean,
                                  &PpoStats::policy_clip_fraction,
                                  &PpoStats::value_clip_fraction,
                                  &PpoStats::explained_variance,
                                  &PpoStats::policy_gradient_norm,
                                  &PpoStats::critic_gradient_norm,
                                  &PpoStats::policy_learning_rate,
                                  &PpoStats::response_length,
                                  &PpoStats::eos_share,
                                  &PpoStats::sampler_gap}) {
    stats.*field = unknown;
  }
  stats.skipped = minibatches;
  return stats;
}

}  // namespace rlhf
