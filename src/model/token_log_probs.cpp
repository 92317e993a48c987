#include "rlhf/model/token_log_probs.hpp"

#include <algorithm>

namespace rlhf::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t chunk_elements = int64_t{1} << 22;

/// log softmax of a chunk of rows, in place of their logits.
Tensor chunk_log_softmax(const Tensor& hidden, const Tensor& weight, double temperature) {
  Tensor logits = torch::mm(hidden, weight.t());
  if (temperature != 1.0) logits.div_(temperature);
  return torch::log_softmax(logits, 1);
}

struct ChunkedLogProbs : torch::autograd::Function<ChunkedLogProbs> {
  static variable_list forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                               const Tensor& targets, double temperature, bool with_entropy) {
    const int64_t rows = hidden.size(0);
    const int64_t chunk = std::max<int64_t>(1, chunk_elements / weight.size(0));
    Tensor log_probs = torch::empty({rows}, hidden.options());
    Tensor entropy = with_entropy ? torch::empty({rows}, hidden.options()) : Tensor();
    Tensor only_chunk;  // kept for the backward pass where everything fits one chunk
    for (int64_t begin = 0; begin < rows; begin += chunk) {
      const int64_t count = std::min(chunk, rows - begin);
      const Tensor all = chunk_log_softmax(hidden.narrow(0, begin, count), weight, temperature);
      log_probs.narrow(0, begin, count)
          .copy_(all.gather(1, targets.narrow(0, begin, count).unsqueeze(1)).squeeze(1));
      if (with_entropy) entropy.narrow(0, begin, count).copy_(-(all.exp() * all).sum(1));
      if (count == rows) only_chunk = all;
    }
    ctx->save_for_backward({hidden, weight, targets, entropy, only_chunk});
    ctx->saved_data["temperature"] = temperature;
    ctx->saved_data["chunk"] = chunk;
    return with_entropy ? variable_list{log_probs, entropy} : variable_list{log_probs};
  }

  // d log_prob / d logit_j = (1[j = target] - p_j) / temperature
  // d entropy  / d logit_j = -p_j (log p_j + entropy) / temperature
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &entropy = saved[3],
                 &only_chunk = saved[4];
    const double temperature = ctx->saved_data["temperature"].toDouble();
    const int64_t chunk = ctx->saved_data["chunk"].toInt();
    const bool entropy_used = gradients.size() > 1 && gradients[1].defined();
    Tensor hidden_gradient = torch::zeros_like(hidden);
    Tensor weight_gradient = ctx->needs_input_grad(1) ? torch::zeros_like(weight) : Tensor();
    for (int64_t begin = 0; begin < hidden.size(0); begin += chunk) {
      const int64_t count = std::min(chunk, hidden.size(0) - begin);
      const Tensor rows = hidden.narrow(0, begin, count);
      const Tensor all =
          only_chunk.defined() ? only_chunk : chunk_log_softmax(rows, weight, temperature);
      const Tensor gradient = gradients[0].narrow(0, begin, count).unsqueeze(1) / temperature;
      Tensor p = all.exp();
      Tensor logits_gradient;
      if (entropy_used) {
        const Tensor scale = gradients[1].narrow(0, begin, count).unsqueeze(1) / temperature;
        logits_gradient =
            p * (-gradient - scale * (all + entropy.narrow(0, begin, count).unsqueeze(1)));
      } else {
        logits_gradient = p.mul_(-gradient);
      }
      logits_gradient.scatter_add_(1, targets.narrow(0, begin, count).unsqueeze(1), gradient);
      if (ctx->needs_input_grad(0)) {
        auto out = hidden_gradient.narrow(0, begin, count);
        torch::mm_out(out, logits_gradient, weight);
      }
      if (weight_gradient.defined()) weight_gradient.addmm_(logits_gradient.t(), rows);
    }
    return {hidden_gradient, weight_gradient, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

LogProbs token_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                         double temperature, bool with_entropy) {
  const variable_list results =
      ChunkedLogProbs::apply(hidden, weight, targets, temperature, with_entropy);
  return {.log_probs = results[0], .entropy = with_entropy ? results[1] : Tensor()};
}

}  // namespace rlhf::model
