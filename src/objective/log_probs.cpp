#include "rlhf/objective/log_probs.hpp"

#include <torch/autograd.h>

#include "checks.hpp"
#include "softmax.hpp"

namespace rlhf::objective {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// d log p(target) / d logits = (one-hot(target) - p) / temperature
struct TokenLogProbs : torch::autograd::Function<TokenLogProbs> {
  static Tensor forward(AutogradContext* context, const Tensor& logits, const Tensor& targets,
                        double temperature) {
    const Tensor log_p = log_softmax(logits, temperature);
    const Tensor index = targets.unsqueeze(-1);
    context->save_for_backward({log_p, index});
    context->saved_data["temperature"] = temperature;
    return log_p.gather(-1, index).squeeze(-1);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor upstream =
        gradients[0].unsqueeze(-1) / context->saved_data["temperature"].toDouble();
    const Tensor gradient = saved[0].exp().mul_(-upstream).scatter_add_(-1, saved[1], upstream);
    return {gradient, Tensor(), Tensor()};
  }
};

/// d H / d logits = -p (log p + H) / temperature
struct Entropy : torch::autograd::Function<Entropy> {
  static Tensor forward(AutogradContext* context, const Tensor& logits, double temperature) {
    const Tensor log_p = finite_log_softmax(logits, temperature);
    const Tensor entropy = log_p.exp().mul_(log_p).sum(-1).neg_();
    context->save_for_backward({log_p, entropy});
    context->saved_data["temperature"] = temperature;
    return entropy;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& log_p = saved[0];
    const Tensor upstream =
        gradients[0].unsqueeze(-1) / -context->saved_data["temperature"].toDouble();
    return {(log_p + saved[1].unsqueeze(-1)).mul_(log_p.exp()).mul_(upstream), Tensor()};
  }
};

}  // namespace

Tensor token_log_probs(const Tensor& logits, const Tensor& targets, double temperature) {
  require_logits(logits, temperature, "logits");
  require_dtype(targets, torch::kInt64, "targets");
  require_fits(targets, logits.sizes().slice(0, static_cast<size_t>(logits.dim() - 1)),
               logits.device(), "targets");
  if (targets.numel() > 0) {
    const auto [lowest, highest] = targets.aminmax();
    const std::string range = ">= 0 and < " + std::to_string(logits.size(-1));
    require(lowest.item<int64_t>() >= 0, "targets", range, lowest.item<int64_t>());
    require(highest.item<int64_t>() < logits.size(-1), "targets", range, highest.item<int64_t>());
  }
  return TokenLogProbs::apply(logits, targets, temperature);
}

Tensor entropy(const Tensor& logits, double temperature) {
  require_logits(logits, temperature, "logits");
  return Entropy::apply(logits, temperature);
}

}  // namespace rlhf::objective
