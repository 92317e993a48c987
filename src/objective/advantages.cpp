#include "rlhf/objective/advantages.hpp"

#include "checks.hpp"

namespace rlhf::objective {
namespace {

/// One row after the other, from its end; sums run in double.
template <class Real>
void fill_gae(const Tensor& rewards, const Tensor& values, const Tensor& mask,
              const GaeOptions& options, Advantages& result) {
  const Real* reward = rewards.const_data_ptr<Real>();
  const Real* value = values.const_data_ptr<Real>();
  const bool* counted = mask.const_data_ptr<bool>();
  Real* advantages = result.advantages.mutable_data_ptr<Real>();
  Real* returns = result.returns.mutable_data_ptr<Real>();
  const int64_t width = mask.size(1);
  for (int64_t row = 0; row < mask.size(0); ++row) {
    double advantage = 0, next_value = 0;
    for (int64_t i = (row + 1) * width - 1; i >= row * width; --i) {
      if (!counted[i]) continue;
      const double current = value[i];
      const double delta = reward[i] + options.gamma * next_value - current;
      advantage = delta + options.gamma * options.lambda * advantage;
      advantages[i] = static_cast<Real>(advantage);
      returns[i] = static_cast<Real>(advantage + current);
      next_value = current;
    }
  }
}

}  // namespace

void GaeOptions::validate() const {
  require(gamma >= 0 && gamma <= 1, "GaeOptions::gamma", "in [0, 1]", gamma);
  require(lambda >= 0 && lambda <= 1, "GaeOptions::lambda", "in [0, 1]", lambda);
}

void GaeOptions::archive(Archive& archive) const {
  archive.option("gamma", gamma);
  archive.option("lambda", lambda);
}

Advantages gae(const Tensor& rewards, const Tensor& values, const Tensor& mask,
               const GaeOptions& options) {
  options.validate();
  require_masked(rewards, mask, "rewards");
  require_like(values, rewards, "values");

  const auto on_cpu = [](const Tensor& tensor) { return tensor.detach().cpu().contiguous(); };
  const Tensor cpu_rewards = on_cpu(rewards);
  Advantages result{.advantages = torch::zeros_like(cpu_rewards),
                    .returns = torch::zeros_like(cpu_rewards)};
  if (rewards.scalar_type() == at::kFloat) {
    fill_gae<float>(cpu_rewards, on_cpu(values), on_cpu(mask), options, result);
  } else {
    fill_gae<double>(cpu_rewards, on_cpu(values), on_cpu(mask), options, result);
  }
  return {.advantages = result.advantages.to(rewards.device()),
          .returns = result.returns.to(rewards.device())};
}

Tensor kl_shaped_rewards(const Tensor& scores, const Tensor& kl, const Tensor& mask,
                         double coefficient) {
  require(std::isfinite(coefficient), "KL coefficient", "a finite number", coefficient);
  require_masked(kl, mask, "kl");
  require_fits(scores, {mask.size(0)}, mask.device(), "scores");
  require_dtype(scores, kl.scalar_type(), "scores");
  return masked(kl * -coefficient, mask)
      .scatter_add(1, last_true(mask).unsqueeze(1), scores.unsqueeze(1));
}

Tensor whiten(const Tensor& x, const Tensor& mask, WhitenMean mean) {
  require_masked(x, mask, "x");
  const double count = count_of(mask, {});
  const Tensor average = masked_sum(x, mask) / count;
  const Tensor centred = masked(x - average, mask);
  const Tensor white = centred * (centred.square().sum() / count + 1e-8).rsqrt();
  return mean == WhitenMean::keep ? masked(white + average, mask) : white;
}

}  // namespace rlhf::objective
