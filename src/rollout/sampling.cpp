#include "rlhf/rollout/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "rlhf/core/error.hpp"

namespace rlhf {

void SamplingOptions::validate() const {
  require(temperature >= 0 && std::isfinite(temperature), "SamplingOptions::temperature", ">= 0",
          temperature);
  require(top_k >= 0, "SamplingOptions::top_k", ">= 0", top_k);
  require(top_p > 0 && top_p <= 1, "SamplingOptions::top_p", "in (0, 1]", top_p);
  require(max_response_tokens >= 1, "SamplingOptions::max_response_tokens", ">= 1",
          max_response_tokens);
  require(samples_per_prompt >= 1, "SamplingOptions::samples_per_prompt", ">= 1",
          samples_per_prompt);
  for (int64_t token : end_tokens)
    require(token >= 0, "SamplingOptions::end_tokens", ">= 0", token);
}

namespace rollout {
namespace {

/// The token at which the running sum of probabilities, in the order given, passes u of their
/// total.
int64_t inverse_cdf(std::span<const float> probabilities, std::span<const int64_t> order,
                    double u) {
  double total = 0;
  for (int64_t token : order)
    total += static_cast<double>(probabilities[static_cast<size_t>(token)]);
  const double target = u * total;
  double sum = 0;
  int64_t last_possible = order.front();
  for (int64_t token : order) {
    const auto p = static_cast<double>(probabilities[static_cast<size_t>(token)]);
    if (p == 0) continue;
    sum += p;
    last_possible = token;
    if (sum > target) break;
  }
  return last_possible;
}

/// The most likely tokens that top_k and top_p leave, most likely first, equals by token.
std::vector<int64_t> truncated_order(std::span<const float> probabilities,
                                     const SamplingOptions& options) {
  std::vector<int64_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto more_likely = [&](int64_t a, int64_t b) {
    const float pa = probabilities[static_cast<size_t>(a)],
                pb = probabilities[static_cast<size_t>(b)];
    return pa != pb ? pa > pb : a < b;
  };
  auto keep = order.size();
  if (options.top_k > 0) keep = std::min(keep, static_cast<size_t>(options.top_k));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(),
                    more_likely);
  order.resize(keep);
  if (options.top_p < 1) {
    // top_p counts within what top_k left.
    double total = 0, sum = 0;
    for (int64_t token : order)
      total += static_cast<double>(probabilities[static_cast<size_t>(token)]);
    size_t count = 0;
    while (count < order.size() && sum < options.top_p * total) {
      sum += static_cast<double>(probabilities[static_cast<size_t>(order[count++])]);
    }
    order.resize(std::max<size_t>(count, 1));
  }
  return order;
}

}  // namespace

Draw draw(const Tensor& logits, const std::vector<double>& uniforms,
          const SamplingOptions& options) {
  NoGrad no_grad;
  const bool greedy = options.temperature == 0;
  const bool truncated = options.top_k > 0 || options.top_p < 1;
  Tensor scaled = logits.to(torch::kCPU, torch::kFloat32);
  if (!greedy && options.temperature != 1) scaled = scaled / options.temperature;
  const Tensor log_probs = torch::log_softmax(scaled, 1).contiguous();
  Tensor tokens;
  if (greedy) {
    tokens = log_probs.argmax(1);
  } else {
    const Tensor probabilities = log_probs.exp();
    const auto vocab = static_cast<size_t>(logits.size(1));
    std::vector<int64_t> everything(truncated ? 0 : vocab);
    std::iota(everything.begin(), everything.end(), int64_t{0});
    tokens = torch::empty({logits.size(0)}, torch::kInt64);
    for (int64_t row = 0; row < logits.size(0); ++row) {
      const std::span<const float> p{probabilities.const_data_ptr<float>() + row * logits.size(1),
                                     vocab};
      const double u = uniforms[static_cast<size_t>(row)];
      tokens.data_ptr<int64_t>()[row] = truncated ? inverse_cdf(p, truncated_order(p, options), u)
                                                  : inverse_cdf(p, everything, u);
    }
  }
  const Tensor chosen = log_probs.gather(1, tokens.unsqueeze(1)).squeeze(1);
  const float* value = chosen.const_data_ptr<float>();
  for (int64_t row = 0; row < chosen.size(0); ++row) {
    require(!std::isnan(value[row]), "logits of sampled row " + std::to_string(row),
            "finite numbers", "NaN");
  }
  return {.tokens = tokens, .log_probs = chosen};
}

}  // namespace rollout
}  // namespace rlhf
