#include "rlhf/objective/kl.hpp"

#include <torch/autograd.h>

#include <algorithm>

#include "checks.hpp"
#include "softmax.hpp"

namespace rlhf::objective {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// d KL / d logits = p (log p - log q - KL) / temperature      d KL / d ref_logits = (q - p) /
/// temperature
struct FullKl : torch::autograd::Function<FullKl> {
  static Tensor forward(AutogradContext* context, const Tensor& logits, const Tensor& ref_logits,
                        double temperature) {
    const Tensor log_p = log_softmax(logits, temperature);
    const Tensor log_q = log_softmax(ref_logits, temperature);
    const Tensor p = log_p.exp();
    // Where p is 0, log p - log q may be -inf + inf.
    const Tensor difference = log_p.sub_(log_q).masked_fill_(p == 0, 0);
    const Tensor kl = (p * difference).sum(-1);
    context->save_for_backward({p, difference, log_q, kl});
    context->saved_data["temperature"] = temperature;
    return kl;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& p = saved[0];
    const Tensor upstream =
        gradients[0].unsqueeze(-1) / context->saved_data["temperature"].toDouble();
    Tensor gradient, ref_gradient;
    if (context->needs_input_grad(0)) {
      gradient = (saved[1] - saved[3].unsqueeze(-1)).mul_(p).mul_(upstream);
    }
    if (context->needs_input_grad(1)) ref_gradient = saved[2].exp().sub_(p).mul_(upstream);
    return {gradient, ref_gradient, Tensor()};
  }
};

}  // namespace

Tensor kl(const Tensor& log_probs, const Tensor& ref_log_probs, KlEstimator estimator) {
  require_real(log_probs, "log_probs");
  require_like(ref_log_probs, log_probs, "ref_log_probs");
  const Tensor d = log_probs - ref_log_probs;
  switch (estimator) {
    case KlEstimator::k1:
      return d;
    case KlEstimator::abs:
      return d.abs();
    case KlEstimator::k2:
      return d.square() / 2;
    case KlEstimator::k3:
      return d.neg().expm1() + d;  // exp(-d) - 1 loses every digit of a small d
  }
  fail("KlEstimator", "k1, abs, k2 or k3", std::to_string(static_cast<int>(estimator)));
}

Tensor full_kl(const Tensor& logits, const Tensor& ref_logits, double temperature) {
  require_logits(logits, temperature, "logits");
  require_like(ref_logits, logits, "ref_logits");
  return FullKl::apply(logits, ref_logits, temperature);
}

AdaptiveKl::AdaptiveKl(double initial, double target, double horizon)
    : coefficient_(initial), target_(target), horizon_(horizon) {
  require_positive(initial, "initial coefficient of AdaptiveKl");
  require_positive(target, "target of AdaptiveKl");
  require_positive(horizon, "horizon of AdaptiveKl");
}

void AdaptiveKl::update(double kl_per_sequence, int64_t episodes) {
  require(std::isfinite(kl_per_sequence), "KL of a sequence", "a finite number", kl_per_sequence);
  require(episodes >= 0, "episodes of AdaptiveKl::update", ">= 0", episodes);
  const double error = std::clamp(kl_per_sequence / target_ - 1, -0.2, 0.2);
  const double factor = 1 + error * static_cast<double>(episodes) / horizon_;
  require(factor > 0, "episodes of AdaptiveKl::update", "fewer than 5 horizons", episodes);
  coefficient_ *= factor;
}

}  // namespace rlhf::objective
