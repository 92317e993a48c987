#include "rlhf/objective/ppo.hpp"

#include <cmath>
#include <limits>

#include "checks.hpp"
#include "elementwise.hpp"

namespace rlhf::objective {

void PpoClip::validate() const {
  require(low > 0 && low <= 1, "PpoClip::low", "in (0, 1]", low);
  require(high > 0, "PpoClip::high", "> 0", high);
  require(dual == 0 || dual > 1, "PpoClip::dual", "0 (off) or > 1", dual);
}

void PpoClip::archive(Archive& archive) const {
  archive.option("low", low);
  archive.option("high", high);
  archive.option("dual", dual);
}

PolicyLoss ppo_policy_loss(const Tensor& log_probs, const Tensor& old_log_probs,
                           const Tensor& advantages, const Tensor& mask, const PpoClip& clip,
                           std::optional<double> denominator) {
  clip.validate();
  require_masked(log_probs, mask, "log_probs");
  require_like(old_log_probs, log_probs, "old_log_probs");
  require_like(advantages, log_probs, "advantages");
  const double count = count_of(mask, denominator);

  // The loss is -A times the ratio, held on one side where A >= 0, on the other (and at the dual
  // clip) where A < 0. Held before exp: inf after it would turn the zero gradient of a clipped
  // token into NaN.
  const double lowest = std::log(1 - clip.low), highest = std::log(1 + clip.high);
  const double dual = clip.dual > 0 ? std::log(clip.dual) : std::numeric_limits<double>::infinity();
  const Tensor log_ratio = masked(log_probs - old_log_probs, mask);
  const Tensor gain = masked(advantages, mask);
  const Tensor held =
      torch::where(gain < 0, log_ratio.clamp(lowest, dual), log_ratio.clamp_max(highest));
  const Tensor loss = (gain * exp_of(held)).sum() / -count;

  const NoGrad metrics;
  const Tensor clipped = (gain > 0)
                             .logical_and_(log_ratio > highest)
                             .logical_or_((gain < 0).logical_and_(log_ratio < lowest));
  return {.loss = loss,
          .clip_fraction = clipped.sum(loss.scalar_type()) / count,
          .approx_kl = log_ratio.square().sum() / (2 * count),
          .ratio_mean = masked_sum(exp_of(log_ratio), mask) / count};
}

ValueLoss ppo_value_loss(const Tensor& values, const Tensor& old_values, const Tensor& returns,
                         const Tensor& mask, double clip, std::optional<double> denominator) {
  require(clip > 0, "clip of ppo_value_loss", "> 0 (infinity: off)", clip);
  require_masked(values, mask, "values");
  require_like(old_values, values, "old_values");
  require_like(returns, values, "returns");
  const double count = count_of(mask, denominator);

  const Tensor held = torch::clamp(values, old_values - clip, old_values + clip);
  const Tensor squared = masked(values - returns, mask).square();
  const Tensor held_squared = masked(held - returns, mask).square();
  const Tensor loss = torch::max(squared, held_squared).sum() / (2 * count);

  const NoGrad metrics;
  return {.loss = loss, .clip_fraction = (held_squared > squared).sum(loss.scalar_type()) / count};
}

}  // namespace rlhf::objective
