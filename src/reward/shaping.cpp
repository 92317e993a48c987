#include "rlhf/reward/shaping.hpp"

#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.hpp"
#include "rlhf/core/non_finite.hpp"

namespace rlhf::reward {
namespace {

void require_finite(double value, std::string_view name) {
  require(std::isfinite(value), name, "a finite number", value);
}

/// bool [B]: the response was cut off.
Tensor cut_off(const Rollout& rollout, at::Device device) {
  const auto count = static_cast<int64_t>(rollout.finish.size());
  require(count == rollout.completions.size(), "Rollout::finish", rollout.completions.size(),
          count);
  Tensor flags = torch::empty({count}, torch::kBool);
  for (size_t i = 0; i < rollout.finish.size(); ++i) {
    flags.data_ptr<bool>()[i] = rollout.finish[i] == Finish::length;
  }
  return flags.to(device);
}

}  // namespace

Tensor checked_scores(const Tensor& scores, const Rollout& rollout, std::string_view whose) {
  require_shape(scores, {rollout.completions.size()}, whose);
  require(scores.is_floating_point(), whose, "a floating type",
          c10::toString(scores.scalar_type()));
  const Tensor finite = scores.isfinite();
  if (!finite.all().item<bool>()) {
    const int64_t sequence = finite.logical_not().nonzero()[0].item<int64_t>();
    fail_non_finite(whose,
                    fmt::format("{} for sequence {}", scores[sequence].item<double>(), sequence));
  }
  return scores.to(torch::kFloat32);
}

void LengthPenalty::validate() const {
  require_finite(per_token, "LengthPenalty::per_token");
  require(free_tokens >= 0, "LengthPenalty::free_tokens", ">= 0", free_tokens);
}

namespace detail {

Clip::Clip(double low, double high) : low(low), high(high) {
  require(low < high, "bounds of clip", "low < high", fmt::format("{} and {}", low, high));
}
Tensor Clip::operator()(const Tensor& scores, const Rollout&) const {
  return scores.clamp(low, high);
}

Affine::Affine(double factor, double shift) : factor(factor), shift(shift) {
  require_finite(factor, "factor of a reward");
  require_finite(shift, "shift of a reward");
}
Tensor Affine::operator()(const Tensor& scores, const Rollout&) const {
  return scores * factor + shift;
}

Tensor Normalise::operator()(const Tensor& scores, const Rollout&) const {
  return scores * (1.0 / moments.std) - moments.mean / moments.std;
}
void Normalise::archive(Archive& archive) {
  archive.value("mean", moments.mean);
  archive.value("std", moments.std);
}

MissingEos::MissingEos(Action action, double amount) : action(action), amount(amount) {
  require_finite(amount, "score or penalty of a missing EOS");
}
Tensor MissingEos::operator()(const Tensor& scores, const Rollout& rollout) const {
  const Tensor missing = cut_off(rollout, scores.device());
  return action == Action::replace ? scores.masked_fill(missing, amount)
                                   : scores - amount * missing;
}

Shorten::Shorten(LengthPenalty penalty) : penalty(penalty) {
  penalty.validate();
}
Tensor Shorten::operator()(const Tensor& scores, const Rollout& rollout) const {
  const Tensor tokens = mask_of(rollout.completions).sum(1).to(scores.device());
  return scores - penalty.per_token * (tokens - penalty.free_tokens).clamp_min(0);
}

}  // namespace detail

void ScoreMoments::validate() const {
  require_finite(mean, "ScoreMoments::mean");
  require(std::isfinite(std) && std > 0, "ScoreMoments::std", "a finite number > 0", std);
}

ScoreMoments moments_of(const Tensor& scores) {
  require(scores.defined() && scores.dim() == 1 && scores.size(0) >= 2,
          "scores to take the moments of", "[n], n >= 2",
          scores.defined() ? scores.sizes() : at::IntArrayRef{});
  const Tensor exact = scores.to(torch::kFloat64);
  const ScoreMoments moments{.mean = exact.mean().item<double>(),
                             .std = exact.std(/*unbiased=*/false).item<double>()};
  moments.validate();
  return moments;
}

}  // namespace rlhf::reward
